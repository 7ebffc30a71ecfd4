"""The console's screens: they read the store and write nothing but requests into it."""
