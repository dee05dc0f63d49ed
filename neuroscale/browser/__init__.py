"""A real browser on this machine: Chromium, driven by Playwright as a person would, by labels and headings."""
