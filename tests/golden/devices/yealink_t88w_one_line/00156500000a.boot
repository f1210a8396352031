#!version:1.0.0.1
## The line above must stay the first and as it is. This file names what Yealink SIP-T88W reads next.
include:config "y000000000192.cfg"
include:config "00156500000a.cfg"
overwrite_mode = 1
