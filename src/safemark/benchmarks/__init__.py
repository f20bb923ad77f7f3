"""One file per benchmark; `safemark.registry` finds them by file name."""
