#!version:1.0.0.1
## The line above must stay the first and as it is. This file names what Yealink SIP-T54W reads next.
include:config "y000000000096.cfg"
include:config "805ec0000004.cfg"
overwrite_mode = 1
