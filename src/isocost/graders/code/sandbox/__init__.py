"""The sandbox in which untrusted programs run: `bubblewrap` makes it and talks to it, `inside/` is the code that runs in it."""
