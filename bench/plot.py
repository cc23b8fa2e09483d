"""One picture: how many times as good as each peer Berth is, case by case, on a logarithmic axis."""

import math
from xml.sax.saxutils import escape

COLOURS = {"docker-registry": "#1f6feb", "distribution": "#d97706", "nginx": "#2da44e"}
LEFT, WIDTH, ROW, TOP = 290, 520, 26, 56
LOW, HIGH = 0.25, 64


def x_of(ratio):
    share = math.log(min(max(ratio, LOW), HIGH) / LOW) / math.log(HIGH / LOW)
    return LEFT + share * WIDTH


def text(x, y, what, **more):
    attributes = "".join(f' {k.replace("_", "-")}="{v}"' for k, v in more.items())
    return f'<text x="{x:.1f}" y="{y:.1f}"{attributes}>{escape(what)}</text>'


def write_plot(path, ratios):
    """ratios: [(what, {peer: ratio})]."""
    height = TOP + ROW * len(ratios) + 20
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{LEFT + WIDTH + 30}" height="{height}" font-family="sans-serif" font-size="12">',
           f'<rect width="100%" height="{height}" fill="#ffffff"/>',
           text(10, 20, "Berth against its peers: how many times as fast (or as small); right of 1 Berth is ahead", font_weight="bold")]
    for i, (peer, colour) in enumerate(COLOURS.items()):
        out += [f'<circle cx="{LEFT + i * 140}" cy="36" r="5" fill="{colour}"/>', text(LEFT + 10 + i * 140, 40, peer)]
    for tick in (0.25, 0.5, 1, 2, 4, 8, 16, 32, 64):
        x = x_of(tick)
        out += [f'<line x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{height - 20}" stroke="{"#57606a" if tick == 1 else "#d0d7de"}"/>',
                text(x, height - 6, f"{tick:g}", text_anchor="middle", fill="#57606a")]
    for row, (what, peers) in enumerate(ratios):
        y = TOP + ROW * (row + 0.5)
        out.append(text(LEFT - 12, y + 4, what, text_anchor="end"))
        for peer, ratio in peers.items():
            out.append(f'<circle cx="{x_of(ratio):.1f}" cy="{y:.1f}" r="5" fill="{COLOURS[peer]}" fill-opacity="0.85"><title>{escape(peer)}: {ratio:.2g}</title></circle>')
    out.append("</svg>")
    path.write_text("\n".join(out) + "\n")
