"""The password of the stage's people, apart so that page objects need no Django."""

PASSWORD = "a-long-walk-by-the-river"
