#!version:1.0.0.1
## The line above must stay the first and as it is. This file names what Yealink SIP-T23G reads next.
include:config "y000000000044.cfg"
include:config "001565000007.cfg"
overwrite_mode = 1
