"""What was said to be asked for before a merge, beside what the pods ask for after it."""
