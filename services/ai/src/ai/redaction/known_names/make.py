"""Makes the two lists from Faker, which is not needed to run anything: `python make.py`, with Faker installed."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import Final

LOCALES: Final = (
    "ar_AA", "az_AZ", "cs_CZ", "da_DK", "de_AT", "de_CH", "de_DE", "en_GB", "en_IE", "en_IN",
    "en_KE", "en_NG", "en_NZ", "en_PK", "en_US", "es_AR", "es_CL", "es_CO", "es_ES", "es_MX",
    "et_EE", "fi_FI", "fr_BE", "fr_CH", "fr_DZ", "fr_FR", "fr_QC", "ga_IE", "ha_NG", "hr_HR",
    "hu_HU", "id_ID", "ig_NG", "is_IS", "it_IT", "lt_LT", "lv_LV", "nl_BE", "nl_NL", "no_NO",
    "pl_PL", "pt_BR", "pt_PT", "ro_RO", "sk_SK", "sl_SI", "sv_SE", "sw", "tr_TR", "tw_GH",
    "uz_UZ", "vi_VN", "yo_NG", "zu_ZA",
)  # fmt: skip
NAME: Final = re.compile(r"[^\W\d_]{2,}(?:['’-][^\W\d_]{2,})?")
LAST_LATIN: Final = "\u024f"


def main() -> None:
    for file, prefix in (("given", "first_names"), ("surnames", "last_names")):
        names: set[str] = set()
        for locale in LOCALES:
            provider = importlib.import_module(f"faker.providers.person.{locale}").Provider
            for field in (field for field in dir(provider) if field.startswith(prefix)):
                listed = getattr(provider, field)
                names |= {
                    name.lower()
                    for name in (listed if hasattr(listed, "__iter__") else ())
                    if NAME.fullmatch(name) and name[0].isupper() and max(name) <= LAST_LATIN
                }
        Path(__file__).with_name(f"{file}.txt").write_text("\n".join(sorted(names)) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
