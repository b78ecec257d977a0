"""Files from outside: recognised by content, decoded in a limited child, normalised once, then used."""
