"""A document with everything in it that a section's Markdown can hold."""

from exports.rendering.document import Document, Section

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
