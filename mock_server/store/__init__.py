"""Where state lives. Nothing above this room knows which database it is."""
