"""The least that Django can do: one view. EMPTY_VIEW_MIDDLEWARE=on puts startproject's middleware before it."""
