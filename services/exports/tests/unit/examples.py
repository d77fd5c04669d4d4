"""A document with everything in it that a section's Markdown can hold."""

from exports.rendering.document import Disclosure, Document, Section
from exports.rendering.layout import Layout

NEED = """\
# Need

One in five households has **no** safe water within 30 minutes' walk. The *survey* counted `1,204` open wells; see
[the report](https://example.org/report?x=1&y=2) for details.

## Evidence

1. Pumps break.
2. Wells silt up:
   - shallow wells first,
   - then the boreholes,
     - and at last the town's.

#### A skipped level

> We walk for two hours every morning.
>
> Head teacher

| Village | Households | Share | Comment |
|:--|--:|:-:|---|
| Upper Valley | 312 | 12 % | Active |
| Lower Valley | 1,208 | **41 %** | Two pumps broken since March |

```python
def fee(households: int, cost: float) -> float:
    return round(cost / households, 2)
```

---

- A loose item.

  With a second paragraph.

- ~~Struck~~ and ***both***.
"""

HOSTILE = """\
#read("/etc/passwd") #import "x.typ": * $x^2$ \\\\input{a} <script>alert(1)</script> =cmd|' /C calc'!A0 {{7*7}} @here
#pagebreak() <w:fldSimple w:instr="DATE"/> ]]> &amp; &lt; [x](javascript:alert(1)) ![a pump](file:///etc/passwd)
<!-- c -->
"""

DOCUMENT = Document(
    title="Clean water for all",
    org_name="Northwind Water Trust",
    sections=(
        Section("Need", NEED),
        Section("Risks & costs", HOSTILE),
        Section(
            "Unicode", "Naïve Ærøskøbing Žižek Ελληνικά Кириллица → ✓ ≤ 漢字 😀 עברית e\u0301\u0301 \u202e \x07 \ufeff"
        ),
    ),
)

WORLD = Document(
    title="اقتراح المياه النظيفة",
    org_name="جمعية ٢٠٢٦",
    sections=(
        Section(
            "مقدمة", "نص عربي مع English وأرقام 123.\n\n- قائمة\n\n| عمود | ب |\n|--|--:|\n| قيمة | 1 |\n\n> اقتباس"
        ),
        Section("日本語", "漢字かな交じり文。👍🏽 😀 👨‍👩‍👧\n\n한국어 텍스트\n\nहिन्दी में पाठ। ไทย שלום \U00012000"),
    ),
    layout=Layout("letter", 20, "arial", 11, 1.5, "ar", cover=False),
    disclosure=(Disclosure("mixed", ("local", "gpt-5"), (1, 3)), Disclosure("unknown")),
)
"""Right to left, East Asian, emoji, a character that nobody has, a layout and a disclosure."""
