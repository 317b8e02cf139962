"""Prints every sheet of a workbook as CSV, by xlsx2csv, with one repair.

    sheets.py PROGRAM MARK FILE

PROGRAM is xlsx2csv itself. Before each sheet comes a line: the character with the number MARK, the sheet's number, a dash, its
name.

The repair: a text that lies in its cell (t="inlineStr") and has several formats is several runs in the file. xlsx2csv 0.7.8,
which Debian has, keeps the first one only; here they are handed to it in one piece. Newer ones need no repair and bear it.
"""

import importlib.machinery
import importlib.util
import os
import sys

sys.dont_write_bytecode = True


def load(path):
    loader = importlib.machinery.SourceFileLoader("xlsx2csv", os.path.realpath(path))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("xlsx2csv", loader))
    loader.exec_module(module)
    return module


def repaired(sheet):
    class Repaired(sheet):
        # The runs of the text in this cell; None outside of one.
        runs = None
        in_run = phonetic = False

        def handleStartElement(self, name, attrs):
            local = name.rpartition(":")[2]
            if self.runs is not None:
                self.phonetic = self.phonetic or local == "rPh"
                self.in_run = local == "t" and not self.phonetic
                return
            if local == "is" and self.in_cell:
                self.runs = []
            super().handleStartElement(name, attrs)

        def handleCharData(self, data):
            if self.runs is None:
                super().handleCharData(data)
            elif self.in_run:
                self.runs.append(data)

        def handleEndElement(self, name):
            local = name.rpartition(":")[2]
            if self.runs is not None and local != "is":
                self.in_run = False
                self.phonetic = self.phonetic and local != "rPh"
                return
            if self.runs is not None:
                words, self.runs = "".join(self.runs), None
                super().handleStartElement("t", {})
                if words:
                    super().handleCharData(words)
            super().handleEndElement(name)

    return Repaired


program, mark, file = sys.argv[1:]
reader = load(program)
reader.Sheet = repaired(reader.Sheet)
reader.Xlsx2csv(file, sheetdelimiter=chr(int(mark))).convert(sys.stdout, 0)
