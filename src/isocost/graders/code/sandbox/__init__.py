"""Where programs run that nobody has read: `bubblewrap` makes the sandbox and talks to it, `inside/` is what runs in it."""
