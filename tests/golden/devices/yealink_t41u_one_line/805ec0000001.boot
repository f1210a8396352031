#!version:1.0.0.1
## The line above must stay the first and as it is. This file names what Yealink SIP-T41U reads next.
include:config "805ec0000001.cfg"
overwrite_mode = 1
