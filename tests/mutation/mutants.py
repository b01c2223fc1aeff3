# SPDX-License-Identifier: MIT
"""Reads a header of ours and lists its mutants.

No compiler: our own formatting says what a token is. A binary operator has white space on both
sides, a template's `<` has none behind it, a block's `{` has some before it and an initialiser's
has none.
"""
import hashlib
import re
from dataclasses import dataclass

TOKEN = re.compile(
    r"""(?P<comment>//[^\n]*|/\*.*?\*/)
      | (?P<preprocessor>^[ \t]*\#(?:[^\n\\]|\\.)*(?:\\\n[^\n]*)*)
      | (?P<string>(?:u8|[LuU])?R"\((?:.|\n)*?\)"|(?:u8|[LuU])?"(?:[^"\\\n]|\\.)*")
      | (?P<char>'(?:[^'\\\n]|\\.)+')
      | (?P<number>(?:0[xX][0-9a-fA-F'.]+(?:[pP][+-]?\d+)?|\d[\d']*(?:\.\d*)?(?:[eE][+-]?\d+)?)[A-Za-z]*)
      | (?P<name>[A-Za-z_]\w*)
      | (?P<sign>\.\.\.|<=>|<<=|>>=|->\*|->|\+\+|--|::|&&|\|\||[-+*/%&|^<>=!]=|<<|[][(){};:,.?~<>=!&|^%*/+-])
      | (?P<space>\s+)""",
    re.X | re.M | re.S,
)
CLOSING = {"(": ")", "[": "]", "{": "}", "<": ">"}

PRECEDENCE = {}
for level, signs in enumerate(
    ["* / %", "+ -", "<< >>", "<=>", "< <= > >=", "== !=", "&", "^", "|", "&&", "||",
     "= += -= *= /= %= &= |= ^= <<= >>="]):
    for sign in signs.split():
        PRECEDENCE[sign] = level
ASSIGNMENT = PRECEDENCE["="]

# operator: [(its mutation, the class it is counted in)]
BINARY = {
    "+": ["-"], "-": ["+"], "*": ["/"], "/": ["*"], "%": ["*"],
    "&": ["|"], "|": ["&"], "^": ["&"], "<<": [">>"], ">>": ["<<"],
    "&&": ["||"], "||": ["&&"],
    "<": ["<=", ">="], "<=": ["<", ">"], ">": [">=", "<="], ">=": [">", "<"],
    "==": ["!="], "!=": ["=="],
    "+=": ["-="], "-=": ["+="], "*=": ["/="], "/=": ["*="], "%=": ["*="],
    "&=": ["|="], "|=": ["&="], "^=": ["&="], "<<=": [">>="], ">>=": ["<<="],
}
KIND = {}
for kind, signs in {
    "arithmetic": "+ - * / %", "bitwise": "& | ^ << >>", "logical": "&& ||",
    "relational": "< <= > >= == !=", "assignment": "+= -= *= /= %= &= |= ^= <<= >>="}.items():
    for sign in signs.split():
        KIND[sign] = kind
SWAPPED = {"min": "max", "max": "min", "fetch_add": "fetch_sub", "fetch_sub": "fetch_add",
           "fetch_or": "fetch_and", "fetch_and": "fetch_or"}
# Kinds in the order of the report.
KINDS = ["arithmetic", "relational", "logical", "bitwise", "assignment", "condition", "constant",
         "deletion", "swap"]

STOPS = {",", ";", "?", ":", "return", "throw", "case", "else", "do", "co_return", "..."}
# What follows in parentheses is part of a declaration.
DECLARING = {"noexcept", "alignas", "decltype", "sizeof", "alignof", "static_assert", "explicit",
             "requires"}
NOT_DELETED = {"const", "constexpr", "auto", "static", "using", "typedef", "struct", "class", "enum",
               "union", "thread_local", "static_assert", "typename", "template", "volatile",
               "unsigned", "int", "bool", "char", "double", "float", "long", "extern", "friend",
               "goto", "return", "constinit", "concept", "requires", "public", "private", "default"}


@dataclass(eq=False)
class Token:
    text: str
    start: int
    end: int
    before: bool = False  # White space stands before it.
    after: bool = False
    kind: str = ""
    children: list = None  # Of a bracket.

    def is_open(self, text):
        return self.children is not None and self.text == text


@dataclass(eq=False)
class Mutant:
    file: str
    kind: str
    start: int
    end: int
    text: str  # What stands there instead.
    change: str  # For people.
    form: str  # How a program may hold it beside the original; see schemata.py.
    line: int = 0
    at: int = 0
    id: str = ""
    number: int = 0


def tokens_of(source):
    found, position, spaced = [], 0, True
    for match in TOKEN.finditer(source):
        if match.start() != position:
            raise ValueError(f"cannot read {source[position:position + 30]!r}")
        position = match.end()
        kind = match.lastgroup
        if kind in ("comment", "preprocessor", "space"):
            spaced = True
            if found:
                found[-1].after = True
            continue
        found.append(Token(match.group(), match.start(), match.end(), spaced, False, kind))
        spaced = False
    if position != len(source):
        raise ValueError(f"cannot read {source[position:position + 30]!r}")
    return found


def tree_of(tokens):
    """Brackets become one token with children; `<` only where it opens a template's list."""
    root = Token("", 0, tokens[-1].end if tokens else 0, children=[])
    stack = [root]
    queue = list(tokens)
    index = 0
    while index < len(queue):
        token = queue[index]
        index += 1
        top = stack[-1]
        previous = top.children[-1] if top.children else None
        if token.text in ("(", "[", "{"):
            token.children = []
            top.children.append(token)
            stack.append(token)
        elif token.text == "<" and not token.after and previous is not None and (
                previous.text == "template" or not token.before) and previous.text != "operator":
            token.children = []
            top.children.append(token)
            stack.append(token)
        elif token.text in (">", ">>") and top.text == "<" and len(stack) > 1:
            if token.text == ">>":
                second = Token(">", token.start + 1, token.end, False, token.after, "sign")
                queue.insert(index, second)
                token = Token(">", token.start, token.start + 1, token.before, False, "sign")
            stack.pop()
            top.end, top.after = token.end, token.after
        elif token.text in (")", "]", "}"):
            if len(stack) < 2 or CLOSING[top.text] != token.text:
                raise ValueError(f"a {token.text} at {token.start} closes nothing")
            stack.pop()
            top.end, top.after = token.end, token.after
        else:
            top.children.append(token)
    if len(stack) != 1:
        raise ValueError(f"a {stack[-1].text} at {stack[-1].start} is not closed")
    return root


class Reader:
    def __init__(self, file, source):
        self.file = file
        self.source = source
        self.mutants = []
        self.form = "expression"
        self.of_template = False
        self.head = False  # Of a function, or a declaration: `~Name()` is no operator there.
        self.scope(tree_of(tokens_of(source)).children)

    # -- what is found ------------------------------------------------------------------------

    def add(self, kind, start, end, text, change, form=None, at=None):
        form = form or self.form
        self.mutants.append(Mutant(self.file, kind, start, end, text, change, form,
                                   self.source.count("\n", 0, start if at is None else at) + 1,
                                   start if at is None else at))

    def text(self, start, end):
        return self.source[start:end]

    # -- declarations -------------------------------------------------------------------------

    def scope(self, nodes):
        """A namespace or a class: declarations, one after the other."""
        begin = 0
        for index, node in enumerate(nodes):
            if node.text == ";":
                self.declaration(nodes[begin:index])
                begin = index + 1
            elif node.is_open("{") and node.before and self.is_block(nodes[begin:index]) \
                    and not self.is_initialised(nodes[begin:index]):
                self.definition(nodes[begin:index], node)
                begin = index + 1
            elif node.text == ":" and index == begin + 1 and nodes[begin].text in (
                    "public", "private", "protected"):
                begin = index + 1

    @staticmethod
    def is_block(head):
        return bool(head) and (head[-1].children is not None
                               or head[-1].text not in ("=", "return", ","))

    @staticmethod
    def is_initialised(head):
        """Whether a lambda follows, not the body of a function."""
        return any(node.text == "=" and before.text != "operator"
                   for before, node in zip(head, head[1:]))

    @staticmethod
    def words(head):
        """What a declaration begins with, without templates, attributes and macros."""
        return [node.text for node in head
                if not (node.is_open("<") or node.is_open("[") or node.text == "template"
                        or node.text.startswith("FUSEBOX_"))]

    def definition(self, head, body):
        words = self.words(head)
        if "namespace" in words or words[:1] == ["extern"]:
            self.scope(body.children)
        elif words[:1] in (["struct"], ["class"], ["union"]):
            outer = self.of_template
            self.of_template = outer or any(node.text == "template" for node in head)
            self.scope(body.children)
            self.of_template = outer
        elif words[:1] == ["enum"] or "concept" in words:
            return
        else:
            previous, self.form = self.form, "text" if "consteval" in words else "expression"
            self.head = True
            self.expressions(self.before_requires(head))
            self.head = False
            self.block(body.children)
            self.form = previous

    @staticmethod
    def before_requires(nodes):
        for index, node in enumerate(nodes):
            if node.text == "requires":
                return nodes[:index]
        return nodes

    def constant(self, nodes, of_class):
        """A constant known to the compiler; `constexpr` goes where it is to be chosen at run time."""
        word = next(node for node in nodes if node.text == "constexpr")
        self.form = ("constant", word.start, of_class)
        self.expressions(nodes)

    def declaration(self, nodes):
        words = self.words(nodes)
        if not words or words[0] in ("using", "static_assert", "friend", "typedef", "enum", "concept",
                                     "struct", "class", "union") or "concept" in words:
            return
        if words[-1] in ("default", "delete") or words[-2:] == ["=", "0"] and "virtual" in words:
            return
        constant = "constexpr" in words and not self.is_function(nodes)
        previous = self.form
        self.head = True
        if constant and self.of_template or "constinit" in words:
            # As variables they would have no order of initialisation: others might read 0.
            self.form = "text"
            self.expressions(nodes)
        elif constant:
            self.constant(nodes, "static" in words)
        else:
            self.expressions(self.before_requires(nodes))
        self.head = False
        self.form = previous

    @staticmethod
    def is_function(nodes):
        for node in nodes:
            if node.text == "=" or node.is_open("{"):
                return False
            if node.is_open("("):
                return True
        return False

    # -- statements ---------------------------------------------------------------------------

    def block(self, nodes):
        index = 0
        while index < len(nodes):
            index = self.statement(nodes, index)

    def statement(self, nodes, index):
        """Reads the statement that begins at `index`; what follows it is returned."""
        if index >= len(nodes):
            return index
        node = nodes[index]
        if node.is_open("[") and node.children and node.children[0].is_open("["):
            return self.statement(nodes, index + 1)
        if node.is_open("{"):
            self.block(node.children)
            return index + 1
        if node.text == ";":
            return index + 1
        if node.text == "if":
            form, index = self.form, index + 1
            if nodes[index].text == "constexpr":
                self.form, index = "text", index + 1
            self.condition(nodes[index].children, "if")
            self.form = form
            index = self.statement(nodes, index + 1)
            if index < len(nodes) and nodes[index].text == "else":
                index = self.statement(nodes, index + 1)
            return index
        if node.text == "while":
            self.condition(nodes[index + 1].children, "while")
            return self.statement(nodes, index + 2)
        if node.text == "for":
            self.head_of_for(nodes[index + 1].children)
            return self.statement(nodes, index + 2)
        if node.text == "switch":
            self.expressions(nodes[index + 1].children)
            return self.statement(nodes, index + 2)
        if node.text == "do":
            index = self.statement(nodes, index + 1)
            self.condition(nodes[index + 1].children, "while")
            return index + 3
        if node.text == "try":
            self.block(nodes[index + 1].children)
            index += 2
            while index < len(nodes) and nodes[index].text == "catch":
                self.block(nodes[index + 2].children)
                index += 3
            return index
        if node.text in ("case", "default"):
            while nodes[index].text != ":":
                index += 1
            return index + 1
        end = index
        while end < len(nodes) and nodes[end].text != ";":
            end += 1
        self.simple(nodes[index:end], nodes[end].end if end < len(nodes) else nodes[end - 1].end)
        return end + 1

    def simple(self, nodes, end):
        words = self.words(nodes)
        if words[0] in ("static_assert", "using", "typedef", "struct", "class", "union", "enum",
                        "friend"):
            return
        if self.is_deletable(nodes):
            start = nodes[0].start
            what = " ".join(self.text(start, end).split())
            if len(what) > 60:
                what = what[:57] + "..."
            form = self.form if self.form == "text" else "statement"
            self.add("deletion", start, end, ";", f"{what} -> deleted", form)
        form = self.form
        if "constexpr" in words[:3] and form != "text":
            self.constant(nodes, False)
        else:
            self.expressions(nodes)
        self.form = form

    @staticmethod
    def is_deletable(nodes):
        first = nodes[0]
        if first.text == "return":
            return len(nodes) == 1
        if first.text in ("break", "continue", "throw", "delete"):
            return True
        if first.text in NOT_DELETED:
            return False
        # `Type name`, with whatever there is between: a declaration.
        index = 0
        while index < len(nodes) and (nodes[index].kind == "name" or nodes[index].text == "::"
                                      or nodes[index].is_open("<")):
            index += 1
            if index < len(nodes) and nodes[index].kind == "name" and nodes[index].before:
                return False
        if index and index + 1 < len(nodes) and nodes[index].text in ("*", "&", "&&") \
                and not nodes[index].before:
            return False
        return True

    def condition(self, nodes, word):
        for index, node in enumerate(nodes):
            if node.text == ";":
                self.expressions(nodes[:index])
                nodes = nodes[index + 1:]
                break
        if any(node.text == "=" for node in nodes):
            self.expressions(nodes)
            return
        start, end = nodes[0].start, nodes[-1].end
        what = " ".join(self.text(start, end).split())
        if word == "if":
            self.negate(nodes)
        if what not in ("true", "false"):
            self.add("deletion", start, end, "false", f"{word} ({what}) -> {word} (false)")
        self.expressions(nodes)

    def negate(self, nodes):
        """A condition's opposite, where no operator's mutation is the same."""
        if nodes[0].text == "!" and self.operand_end(nodes, 0) == len(nodes):
            return
        levels = [PRECEDENCE[node.text] for index, node in enumerate(nodes)
                  if self.is_binary(nodes, index)]
        if levels and max(levels) in (PRECEDENCE["<"], PRECEDENCE["=="]):
            return
        start, end = nodes[0].start, nodes[-1].end
        what = " ".join(self.text(start, end).split())
        self.add("condition", start, end, f"!({self.text(start, end)})", f"{what} -> !({what})")

    def head_of_for(self, nodes):
        signs = [index for index, node in enumerate(nodes) if node.text == ";"]
        self.expressions(nodes)
        if len(signs) == 2 and signs[1] > signs[0] + 1:
            start, end = nodes[signs[0] + 1].start, nodes[signs[1] - 1].end
            what = " ".join(self.text(start, end).split())
            self.add("deletion", start, end, "false", f"for (; {what};) -> for (; false;)")

    # -- expressions --------------------------------------------------------------------------

    @staticmethod
    def is_binary(nodes, index):
        node = nodes[index]
        return (node.children is None and node.text in PRECEDENCE and node.before and node.after
                and 0 < index < len(nodes) - 1)

    def left(self, nodes, index, level):
        begin = index
        while begin > 0:
            node = nodes[begin - 1]
            if node.text in STOPS and node.children is None and (
                    begin < 2 or nodes[begin - 2].text != "sizeof"):
                break
            if self.is_binary(nodes, begin - 1) and (
                    PRECEDENCE[node.text] > level or PRECEDENCE[node.text] == ASSIGNMENT):
                break
            if node.is_open("{") and node.before and begin - 1 > 0 and nodes[begin - 2].is_open("("):
                break
            begin -= 1
        return begin

    def right(self, nodes, index, level):
        end = index + 1
        while end < len(nodes):
            node = nodes[end]
            if node.text in STOPS and node.children is None and nodes[end - 1].text != "sizeof":
                if not (level == ASSIGNMENT and node.text in ("?", ":")):
                    break
            if self.is_binary(nodes, end) and PRECEDENCE[node.text] >= level and level != ASSIGNMENT:
                break
            end += 1
        return end

    @staticmethod
    def operand_end(nodes, index):
        """Behind the operand of the unary operator at `index`."""
        end = index + 1
        while end < len(nodes) and nodes[end].text in ("!", "*", "-", "&", "~", "++", "--"):
            end += 1
        if end < len(nodes):
            end += 1
        while end < len(nodes) and not nodes[end].before and (
                nodes[end].children is not None or nodes[end].text in (".", "->", "::")
                or nodes[end].kind == "name"):
            end += 1
        return end

    @staticmethod
    def chain_begin(nodes, index):
        """Where what is written without a space before `index` begins."""
        while index > 0 and not nodes[index].before and nodes[index - 1].text not in (
                "!", "*", "-", "&", "~", "++", "--"):
            index -= 1
        return index

    def expressions(self, nodes):
        for index, node in enumerate(nodes):
            if node.children is not None:
                self.bracket(nodes, index)
            elif node.kind == "number":
                self.number(node)
            elif node.text in ("true", "false"):
                other = "false" if node.text == "true" else "true"
                self.add("constant", node.start, node.end, other, f"{node.text} -> {other}")
            elif self.is_binary(nodes, index) and node.text in BINARY:
                begin = self.left(nodes, index, PRECEDENCE[node.text])
                end = self.right(nodes, index, PRECEDENCE[node.text])
                if begin == index or end == index + 1:
                    continue
                first, last = nodes[begin].start, nodes[end - 1].end
                for other in BINARY[node.text]:
                    text = self.text(first, node.start) + other + self.text(node.end, last)
                    self.add(KIND[node.text], first, last, text,
                             f"{self.around(node)}: {node.text} -> {other}", at=node.start)
            elif node.text == "?":
                begin = self.left(nodes, index, ASSIGNMENT - 1)
                if begin < index:
                    self.negate(nodes[begin:index])
            else:
                self.unary(nodes, index)

    def around(self, node):
        line = self.source.rfind("\n", 0, node.start) + 1
        end = self.source.find("\n", node.start)
        begin = max(line, node.start - 22)
        return self.text(begin, min(end, node.end + 22)).strip()

    def bracket(self, nodes, index):
        node = nodes[index]
        previous = nodes[index - 1] if index else None
        if node.text == "<" or previous is not None and previous.text in DECLARING:
            return
        if node.is_open("[") and node.children and node.children[0].is_open("["):
            return
        if node.is_open("{") and node.before and previous is not None and self.is_block(nodes[:index]) \
                and not self.is_binary(nodes, index - 1) and previous.text not in ("?", ":"):
            form = self.form
            # A lambda's: of a constant of a class, it is run by the compiler only.
            self.form = "text" if form == "text" else "expression"
            self.block(node.children)
            self.form = form
        else:
            self.expressions(node.children)

    def number(self, node):
        if re.match(r"0[xX].*[pP]", node.text):
            self.add("constant", node.start, node.end, repr(2 * float.fromhex(node.text)),
                     f"{self.around(node)}: {node.text} -> twice")
            return
        match = re.fullmatch(r"(0[xX][0-9a-fA-F']+|[\d']+\.?[\d']*(?:[eE][+-]?\d+)?)([A-Za-z_]*)",
                             node.text)
        if match is None:
            raise ValueError(f"{self.file}: cannot read the number {node.text}")
        digits, suffix = match.group(1).replace("'", ""), match.group(2)
        if "." in digits or "e" in digits.lower() and not digits.lower().startswith("0x"):
            value = float(digits)
            others = ["1.0"] if value == 0 else ["0.0"] if value == 1 else [
                repr(value + 1 if value + 1 != value else 2 * value)]
        else:
            value = int(digits, 0) if not re.fullmatch(r"0\d+", digits) else int(digits, 8)
            others = [str(n) for n in ((1,) if value == 0 else (value - 1, value + 1))]
        for other in others:
            other += suffix
            self.add("constant", node.start, node.end, other,
                     f"{self.around(node)}: {node.text} -> {other}")

    def unary(self, nodes, index):
        node = nodes[index]
        if node.text in ("++", "--"):
            other = "--" if node.text == "++" else "++"
            if not node.after and (node.before or index == 0):
                end = self.operand_end(nodes, index)
                last = nodes[end - 1].end
                self.add("arithmetic", node.start, last, other + self.text(node.end, last),
                         f"{self.text(node.start, last)} -> {other}")
            elif index and not node.before:
                first = nodes[self.chain_begin(nodes, index)].start
                self.add("arithmetic", first, node.end, self.text(first, node.start) + other,
                         f"{self.text(first, node.end)} -> {other}")
        elif node.text == "~" and self.head:
            return
        elif node.text in ("!", "-", "~") and not node.after and index + 1 < len(nodes) and (
                node.before or index == 0 or nodes[index - 1].text in ("!", "(")):
            end = self.operand_end(nodes, index)
            last = nodes[end - 1].end
            operand = self.text(node.end, last)
            text = f"!!({operand})" if node.text == "!" else f"({operand})"
            kind = {"!": "logical", "-": "arithmetic", "~": "bitwise"}[node.text]
            self.add(kind, node.start, last, text, f"{node.text}{operand} -> {operand}")
        elif node.text in SWAPPED and index + 1 < len(nodes):
            end = index + 1
            if nodes[end].is_open("<"):
                end += 1
            if end >= len(nodes) or not nodes[end].is_open("("):
                return
            standard = [n.text for n in nodes[max(0, index - 2):index]] == ["std", "::"]
            member = index and nodes[index - 1].text in (".", "->")
            if node.text in ("min", "max") and not standard or \
                    node.text not in ("min", "max") and not member:
                return
            first = nodes[self.chain_begin(nodes, index)].start
            last = nodes[end].end
            other = SWAPPED[node.text]
            text = self.text(first, node.start) + other + self.text(node.end, last)
            self.add("swap", first, last, text, f"{node.text} -> {other}", at=node.start)


def mutants_of(file, source):
    """The mutants of a header, in its order; each has an id that stays while its line stays."""
    mutants = Reader(file, source).mutants
    mutants.sort(key=lambda m: (m.at, m.start, m.kind, m.text))
    lines = source.split("\n")
    seen = {}
    for mutant in mutants:
        first = source.rfind("\n", 0, mutant.at) + 1
        column = mutant.at - first - (len(lines[mutant.line - 1]) -
                                      len(lines[mutant.line - 1].lstrip()))
        # A statement over several lines is known by all of them.
        content = " ".join(source[first:max(mutant.end, mutant.at)].split())
        content += " | " + " ".join(lines[mutant.line - 1].split())
        key = "\0".join([file, content, str(column), mutant.kind, " ".join(mutant.text.split())])
        seen[key] = seen.get(key, 0) + 1
        mutant.id = hashlib.sha256(f"{key}\0{seen[key]}".encode()).hexdigest()[:10]
    return mutants
