/** Countries whose emergency numbers the edge knows (`contract/snapshot/emergency_numbers.py`; a test compares them). */
export const COUNTRY_CODES =
  "AT AU BE BG BR CA CH CN CY CZ DE DK EE ES FI FR GB GR HR HU IE IN IS IT JP KR LI LT LU LV MT MX NL NO NZ PL PT RO SE SG SI SK US ZA".split(
    " ",
  );

const names = new Intl.DisplayNames(["en"], { type: "region" });

export const COUNTRIES = COUNTRY_CODES.map((value) => ({ value, label: names.of(value) ?? value })).sort((one, other) =>
  one.label.localeCompare(other.label),
);
