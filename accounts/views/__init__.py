"""The doors: each action parses, makes one service call, and answers."""
