"""What an SVG holds, as a browser would take it."""

from xml.etree import ElementTree as ET

SVG = "{http://www.w3.org/2000/svg}"


def elements(svg, name):
    """Every element of a name, in its order."""
    return list(ET.fromstring(svg).iter(SVG + name))  # noqa: S314 - our own


def words(svg):
    """Every text that is shown."""
    return [element.text for element in elements(svg, "text")]


def bars(svg, colour):
    """Where bars of a colour begin and end, the legend's square left out."""
    found = [each.attrib for each in elements(svg, "rect") if each.get("class") == colour]
    return [(float(bar["x"]), float(bar["x"]) + float(bar["width"])) for bar in found[1:]]
