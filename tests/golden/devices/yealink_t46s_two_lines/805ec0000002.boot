#!version:1.0.0.1
## The line above must stay the first and as it is. This file names what Yealink SIP-T46S reads next.
include:config "y000000000066.cfg"
include:config "805ec0000002.cfg"
overwrite_mode = 1
