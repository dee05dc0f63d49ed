"""Models: what is in the store, how they are asked, and how they behave while something is changed or broken."""
