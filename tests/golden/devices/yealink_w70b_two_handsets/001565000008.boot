#!version:1.0.0.1
## The line above must stay the first and as it is. This file names what Yealink W70B reads next.
include:config "y000000000146.cfg"
include:config "001565000008.cfg"
overwrite_mode = 1
