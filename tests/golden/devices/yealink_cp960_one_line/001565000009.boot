#!version:1.0.0.1
## The line above must stay the first and as it is. This file names what Yealink CP960 reads next.
include:config "y000000000073.cfg"
include:config "001565000009.cfg"
overwrite_mode = 1
