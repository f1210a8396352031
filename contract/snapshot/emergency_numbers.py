"""Numbers for help by country (ISO 3166-1 alpha-2), the general one first: police, fire brigade, ambulance.

Collected from the countries' entries in "National numbering plans" of the ITU (ITU-T E.129) and, for the members of the
European Union, from Directive (EU) 2018/1972, article 109, by which 112 reaches help in all of them. Services that
cost money or give advice only are left out. A site adds what is missing.
"""

from typing import Final

NUMBERS_BY_COUNTRY: Final[dict[str, tuple[str, ...]]] = {
    "AT": ("112", "122", "133", "144"),
    "AU": ("000", "112", "106"),
    "BE": ("112", "100", "101"),
    "BG": ("112",),
    "BR": ("190", "192", "193"),
    "CA": ("911",),
    "CH": ("112", "117", "118", "144"),
    "CN": ("110", "119", "120", "122"),
    "CY": ("112", "199"),
    "CZ": ("112", "150", "155", "158"),
    "DE": ("112", "110"),
    "DK": ("112",),
    "EE": ("112",),
    "ES": ("112",),
    "FI": ("112",),
    "FR": ("112", "15", "17", "18", "114"),
    "GB": ("999", "112"),
    "GR": ("112", "100", "166", "199"),
    "HR": ("112",),
    "HU": ("112", "104", "105", "107"),
    "IE": ("112", "999"),
    "IN": ("112", "100", "101", "108"),
    "IS": ("112",),
    "IT": ("112", "113", "115", "118"),
    "JP": ("110", "118", "119"),
    "KR": ("112", "119"),
    "LI": ("112", "117", "118", "144"),
    "LT": ("112",),
    "LU": ("112", "113"),
    "LV": ("112",),
    "MT": ("112",),
    "MX": ("911",),
    "NL": ("112",),
    "NO": ("112", "110", "113"),
    "NZ": ("111",),
    "PL": ("112", "997", "998", "999"),
    "PT": ("112",),
    "RO": ("112",),
    "SE": ("112",),
    "SG": ("999", "995"),
    "SI": ("112", "113"),
    "SK": ("112", "150", "155", "158"),
    "US": ("911",),
    "ZA": ("112", "10111", "10177"),
}
