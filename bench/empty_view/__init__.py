"""The least that Django can do: one view without a database; with EMPTY_VIEW_MIDDLEWARE=on, startproject's middleware."""
