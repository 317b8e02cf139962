"""Writes one small document of each type into a folder. What they say is checked in FileTextExtractorTests.swift.

    samples.py FOLDER
"""

import os
import sys

from containers import *

folder = sys.argv[1]


def write(name, content):
    with open(os.path.join(folder, name), "wb") as file:
        file.write(content if isinstance(content, bytes) else content.encode())


heading = '<w:p><w:pPr><w:pStyle w:val="Heading1"/></w:pPr><w:r><w:t>Market</w:t></w:r></w:p>'
table = "<w:tbl><w:tblGrid><w:gridCol w:w=\"900\"/><w:gridCol w:w=\"900\"/></w:tblGrid>%s</w:tbl>" % "".join(
    "<w:tr>%s</w:tr>" % "".join("<w:tc>%s</w:tc>" % paragraph(cell) for cell in row) for row in [["Year", "Units"], ["2025", "42"]])
styles = ('<w:styles xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:style w:type="paragraph" '
          'w:styleId="Heading1"><w:name w:val="heading 1"/></w:style></w:styles>')
write("report.docx", docx(heading + paragraph("It grows by 5 %.") + table,
                          extra=[("word/styles.xml", styles), ("word/_rels/document.xml.rels", rels(("s", "styles", "styles.xml")))]))
row = "<row r='%d'><c r='A%d' t='s'><v>%d</v></c><c r='B%d'><v>%s</v></c></row>"
write("book.xlsx", xlsx([("North, east", "".join(row % (i, i, 0 if i == 1 else 1, i, i) for i in range(1, 121))),
                         ("South", "<row r='1'><c r='A1' t='s'><v>2</v></c></row>")], strings=["Name", "Größe", "x | y"]))
grid = ("<p:graphicFrame><a:graphic><a:graphicData><a:tbl><a:tr>%s</a:tr></a:tbl></a:graphicData></a:graphic></p:graphicFrame>"
        % "".join("<a:tc><a:txBody><a:p><a:r><a:t>%s</a:t></a:r></a:p></a:txBody></a:tc>" % word for word in ["one", "two"]))
write("talk.pptx", pptx([shape("Welcome", "title") + shape("First point"), shape("Numbers", "title") + grid],
                        notes={2: "Say it slowly"}))
write("letter.odt", opendocument("text", '<text:h text:outline-level="2">Offer</text:h><text:p>Dear<text:s text:c="2"/>Sir'
                                 "<text:line-break/>we offer</text:p>"))
write("sheet.ods", opendocument("spreadsheet", "".join(
    '<table:table table:name="%s"><table:table-row><table:table-cell table:number-columns-repeated="2"><text:p>%s</text:p>'
    '</table:table-cell><table:table-cell office:value="7" office:value-type="float"/><table:table-cell '
    'table:number-columns-repeated="1000"/></table:table-row><table:table-row table:number-rows-repeated="1000000">'
    '<table:table-cell/></table:table-row></table:table>' % pair for pair in [("Costs", "rent"), ("Sales", "sold")])))
write("show.odp", opendocument("presentation", "".join(
    '<draw:page><draw:frame presentation:class="title"><draw:text-box><text:p>%s</text:p></draw:text-box></draw:frame>'
    '<draw:frame><draw:text-box><text:list><text:list-item><text:p>%s</text:p></text:list-item></text:list></draw:text-box>'
    '</draw:frame><presentation:notes><text:p>%s</text:p></presentation:notes></draw:page>' % each
    for each in [("Plan", "Begin", "aside"), ("End", "Thanks", "bow")])))
write("paper.pdf", pdf(pages(lines("First page", "goes on", "", "", "", "After a gap"), lines("Second page"))))
write("scan.pdf", pdf(pages(stream(b"10 10 100 100 re f"))))
write("memo.rtf", r"{\rtf1\ansi\ansicpg1252 {\b Memo}\par Caf\'e9 and \u8364? and more\par}")
write("old.doc", doc("Old words, na\xefve\rSecond paragraph\r"))
write("old.xls", xls("K\xf6ln", [["City", "Sum"], ["K\xf6ln", "12"]]))
write("old.ppt", ppt("An old slide"))
write("drawing.svg", '<?xml version="1.0"?><!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" '
      '"http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd"><svg xmlns="http://www.w3.org/2000/svg"><title>Flow</title>'
      "<style>text { fill: red }</style><g><text x='1'>Step <tspan>one</tspan></text></g></svg>")
write("page.html",
      b"<html><head><meta charset=windows-1251><title>T</title><script>alert(1)</script></head><body><h2>\xcf\xf0</h2>"
      b"<p>a &amp; b</p><ul><li>item</li></ul><table><tr><th>k</th><th>v</th></tr><tr><td>1</td><td>2</td></tr></table>"
      b"<pre>x\n  y</pre><style>p {}</style></body></html>")
write("tiny.txt", "a few words")
run = '<row r="1"><c r="A1" t="inlineStr"><is><r><t>Regular </t></r><r><rPr><b/></rPr><t>Bold &amp; more</t></r><rPh><t>no</t></rPh></is></c>'
write("runs.xlsx", xlsx([("A", run + '<c r="B1" t="inlineStr"><is><t>plain</t></is></c></row>')]))
