# SPDX-License-Identifier: MIT
"""One program for many mutants: which one it is, it is told when it starts.

A mutant's form says how it stands beside the original:
  expression         `(on(7) ? (a - b) : (a + b))`
  statement          `{ if (!on(7)) { f(); } }`, of a deleted statement
  ('constant', p, c) the `constexpr` at `p` becomes `const` (of a class: `inline const`), and its
                     initialiser an expression
  text               not at all: `if constexpr`, what templates and arrays are made with
"""
import os
import re
import shutil


class Region:
    def __init__(self, start, end, form):
        self.start, self.end, self.form = start, end, form
        self.mutants, self.children = [], []


def regions_of(mutants):
    """The regions of mutants as a forest; what overlaps another without lying in it stays out."""
    groups, refused = {}, []
    for mutant in mutants:
        form = "statement" if mutant.form == "statement" else "expression"
        key = (mutant.start, -mutant.end, form != "statement")
        groups.setdefault(key, Region(mutant.start, mutant.end, form)).mutants.append(mutant)
    top, stack = [], []
    for key in sorted(groups):
        region = groups[key]
        while stack and stack[-1].end <= region.start:
            stack.pop()
        if stack and region.end > stack[-1].end:
            refused += region.mutants
            continue
        (stack[-1].children if stack else top).append(region)
        stack.append(region)
    return top, refused


class Writer:
    """The text of an instrumented header, and which mutants a line belongs to."""

    def __init__(self, source, mutants):
        self.source = source
        self.pieces = []  # (text, the mutants it belongs to)
        kept = [m for m in mutants if m.form != "text"]
        self.constants = {}  # Where `constexpr` stands: the mutants of its initialiser.
        for mutant in kept:
            if isinstance(mutant.form, tuple):
                self.constants.setdefault(mutant.form[1], []).append(mutant)
        top, self.refused = regions_of(kept)
        self.range(0, len(source), top, ())
        self.text = "".join(text for text, _ in self.pieces)
        self.lines = {}
        line = 1
        for text, owners in self.pieces:
            for part in text.split("\n"):
                if part.strip():
                    self.lines.setdefault(line, set()).update(owners)
                line += 1
            line -= 1

    def write(self, text, owners):
        self.pieces.append((text, owners))

    def original(self, start, end, owners):
        for at in sorted(p for p in self.constants if start <= p < end):
            self.write(self.source[start:at], owners)
            mutants = tuple(self.constants[at])
            self.write("\ninline const" if mutants[0].form[2] else "\nconst", mutants)
            start = at + len("constexpr")
        self.write(self.source[start:end], owners)

    def range(self, start, end, regions, owners):
        for region in regions:
            self.original(start, region.start, owners)
            self.region(region, owners)
            start = region.end
        self.original(start, end, owners)

    def region(self, region, outer):
        mine = outer + tuple(region.mutants)
        if region.form == "statement":
            (mutant,) = region.mutants
            self.write(f"{{ if (!{switch(mutant)}) {{", mine)
            self.range(region.start, region.end, region.children, outer)
            self.write("} }", mine)
            return
        self.write("\n(", mine)
        for mutant in region.mutants:
            self.write(f"\n{switch(mutant)} ? ({mutant.text})\n: ", (mutant,))
        # A pointer may be a condition, too.
        condition = any(m.kind in ("condition", "deletion", "logical") for m in region.mutants)
        self.write("\nbool(" if condition else "\n(", outer)
        self.range(region.start, region.end, region.children, outer)
        self.write("\n))", outer)


def switch(mutant):
    name = "now" if isinstance(mutant.form, tuple) else "on"
    return f"::fusebox_mutation::{name}({mutant.number})"


def instrument(source, mutants):
    """The header with these mutants in it; a Writer."""
    writer = Writer(source, mutants)
    line = '#include "fusebox_mutation.hpp"\n'
    at = writer.text.index("#pragma once") + len("#pragma once\n")
    shifted = writer.text[:at].count("\n")
    writer.text = writer.text[:at] + line + writer.text[at:]
    writer.lines = {n + (n > shifted): owners for n, owners in writer.lines.items()}
    return writer


def write_headers(include, scratch, mutants_by_file):
    """Copies `include` to `scratch`/include with the mutants in; returns the lines of each file."""
    target = os.path.join(scratch, "include")
    lines = {}
    for folder, _, names in os.walk(include):
        for name in names:
            path = os.path.join(folder, name)
            relative = os.path.relpath(path, include)
            out = os.path.join(target, relative)
            os.makedirs(os.path.dirname(out), exist_ok=True)
            mutants = mutants_by_file.get(relative)
            if mutants:
                with open(path, encoding="utf-8") as file:
                    writer = instrument(file.read(), mutants)
                for mutant in writer.refused:
                    mutant.form = "text"
                lines[relative] = writer.lines
                text = writer.text
            else:
                with open(path, encoding="utf-8") as file:
                    text = file.read()
            if not os.path.exists(out) or open(out, encoding="utf-8").read() != text:
                with open(out, "w", encoding="utf-8") as file:
                    file.write(text)
    shutil.copy(os.path.join(os.path.dirname(__file__), "fusebox_mutation.hpp"), target)
    return lines


ERROR = re.compile(r"^(?P<path>[^\s:][^:\n]*):(?P<line>\d+):(?:\d+:)? (?P<kind>error|fatal error|note):")
PLACE = re.compile(r"(?P<path>/[^\s:,]*):(?P<line>\d+)[:,]")


def blamed(output, include, lines):
    """What a compiler complains about: {mutant: whether it is its own fault}, and other complaints.

    Not its own fault is what a mutant may do where it stands alone: be of another type than the
    original, or a constant.
    """
    blocks, block, has_error = [], [], False
    for text in output.split("\n"):
        match = ERROR.match(text)
        is_error = match is not None and match["kind"] != "note"
        # What led to an error stands before it.
        leads = "In instantiation of" in text or "In function" in text or text.startswith("In file")
        if has_error and (is_error or leads):
            blocks.append(block)
            block, has_error = [], False
        has_error = has_error or is_error
        block.append(text)
    blocks.append(block)
    found, orphans = {}, []
    for block in blocks:
        error, own, others = None, set(), []
        for text in block:
            match = ERROR.match(text)
            is_error = match is not None and match["kind"] != "note"
            if is_error:
                error = text
            for place in PLACE.finditer(text):
                path = os.path.relpath(place["path"], include)
                owners = lines.get(path, {}).get(int(place["line"]))
                if owners and is_error and place.start() == 0:
                    own = owners
                elif owners:
                    others.append(owners)
        if error is None:
            continue
        constant = "constant" in error or "constexpr" in error
        types = "different types" in error or "no type named" in error
        if constant and others:
            for mutant in set().union(*others):
                found[mutant] = False
        elif own:
            for mutant in own:
                found[mutant] = found.get(mutant, True) and len(own) == 1 and not (constant or types)
        elif others:
            for mutant in others[0]:
                found[mutant] = found.get(mutant, True) and len(others[0]) == 1 and not types
        else:
            orphans.append("\n".join(block[:12]))
    return found, orphans
