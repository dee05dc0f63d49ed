"""The production profile: rendered, judged by kept checkers and by rules of our own, and what is put up with."""
