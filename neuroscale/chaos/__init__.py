"""Breaking things on purpose, so that every break is proven, journalled before it happens, and undone."""
