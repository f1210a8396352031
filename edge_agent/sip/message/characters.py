"""Characters as numbers: `COMMA in value` takes a sixth of `b"," in value`, which makes and drops an error."""

from typing import Final

TAB: Final = 0x09
LF: Final = 0x0A
CR: Final = 0x0D
QUOTE: Final = 0x22
PERCENT: Final = 0x25
COMMA: Final = 0x2C
LESS: Final = 0x3C
