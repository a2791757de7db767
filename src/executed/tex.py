r"""Reads the TeX of a formula as Python, for the forms that the pages use.

A symbol is the name that it is read as: `\tilde f` is `tilde_f`, `f_+` is `f_plus`, `h'` is
`h_prime`. The letters i, j and k in a subscript are indices; other subscripts belong to the name.
`f(x)` is a call, or a product where f is a number; what is proportional is a quotient. What is no
operator of Python is a function of `calculus`, which is called `_`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from keyword import iskeyword
from typing import NamedTuple

# What only sets a formula: its number, words beside cases, alignment, spaces, sizes.
LAYOUT = re.compile(
    r"\\tag\{\w+\}|&\s*\\text\{[^}]*\}|\\(?:begin|end)\{aligned\}|&"
    r"|(?<!\\)\\(?:[,;!:]|(?:left|right|displaystyle)(?![A-Za-z]))"
)
# Words elsewhere are part of a name, and those of an operator its name.
WORDS = re.compile(r"\\(?:text|mathrm)\{([^}]*)\}|\\operatorname\{(\w+)\}")
CASES = re.compile(r"\\begin\{cases\}(.*?)\\end\{cases\}")
# A line that begins with a sign goes on with the one before.
GOES_ON = re.compile(r"\\\\(?:\[\w+\])?(?=\s*(?:[=+]|\\approx|\\le|\\ge))")
APART = re.compile(r"\\q?quad\b|\\\\(?:\[\w+\])?|,(?=\s*\\q?quad)")
# Primes are read behind a subscript.
PRIMED = re.compile(r"('+)(_(?:\w|\\\w+|\{[^}]*\}))")
# A differential such as dt is one token, where no space parts it.
TOKEN = re.compile(r"d(?:[A-Za-z]|\\[a-z]+)(?![a-z])|\\[A-Za-z]+|\\.|\d+(?:\.\d+)?|'+|\S")

RELATIONS = {"=": "=", "<": "<", ">": ">", r"\le": "<=", r"\ge": ">=", r"\approx": "approx"}
RELATIONS |= {r"\ne": "!="}
ADDED = {"+": "+ ", "-": "- ", r"\pm": "+ pm * ", r"\mp": "- pm * "}
FUNCTIONS = {rf"\{name}": f"_.np.{name}" for name in ("log", "exp", "sin", "cos", "tanh")}
FUNCTIONS |= {r"\Im": "_.np.imag", r"\max": "max"}
REPEATED = {r"\sum": "sum", r"\prod": "_.np.prod", r"\max": "max"}
IN_WORDS = {"+": "plus", "-": "minus", r"\pm": "pm", r"\infty": "inf"}
ACCENTS = (r"\tilde", r"\hat", r"\bar")
LETTER = re.compile(
    r"d?[A-Za-z]|d?\\(?:var)?(?:alpha|beta|gamma|delta|epsilon|zeta|eta|theta|kappa|lambda|mu|nu|xi"
    r"|pi|rho|sigma|tau|phi|chi|psi|omega|Gamma|Delta|Theta|Lambda|Sigma|Phi|Psi|Omega)"
)
CLOSING = {"(": ")", "[": "]", "{": "}", "|": "|", r"\lVert": r"\rVert"}
ENDS = {"", ",", r"\Big", r"\propto", *CLOSING.values(), *ADDED, *RELATIONS} - {"|"}


class Statement(NamedTuple):
    """Sides as Python, and the relations between them."""

    sides: list[str]
    relations: list[str]


class Formula(NamedTuple):
    """A formula as Python: its statements, and its names with the number of their indices."""

    statements: list[Statement]
    names: dict[str, int]


@cache
def read(tex: str) -> Formula:
    """Read a formula; what cannot be read is a ValueError."""
    whole = WORDS.sub(lambda word: word[1] or rf"\{word[2]} ", LAYOUT.sub(" ", tex))
    whole = CASES.sub(lambda cases: f"[{cases[1]}]".replace(r"\\", ","), whole)
    reader, statements = Reader([]), []
    for text in filter(str.strip, APART.split(GOES_ON.sub(" ", whole))):
        reader.tokens = TOKEN.findall(PRIMED.sub(r"\2\1", text))
        statements.append(reader.statement())
        if reader.tokens:
            raise ValueError(f"it cannot be read: {reader.next} was not expected")
    return Formula(statements, reader.names)


@dataclass
class Reader:
    """Reads tokens from left to right, and notes the names of the formula."""

    tokens: list[str]
    names: dict[str, int] = field(default_factory=dict)
    dots: str = ""  # the last term before dots
    closing: str = ""  # what ends the innermost bars or integral

    @property
    def next(self) -> str:
        """The token that comes next."""
        return self.tokens[0] if self.tokens else ""

    def take(self, *expected: str) -> str:
        """Take the next token, or those that are expected."""
        taken, self.tokens = self.tokens[: len(expected) or 1], self.tokens[len(expected) or 1 :]
        if not taken or (expected and taken != [*expected]):
            wanted = "".join(expected) or "more"
            raise ValueError(f"it cannot be read: {wanted} is expected, not {''.join(taken)}")
        return taken[0]

    # From statements to factors

    def statement(self) -> Statement:
        """Read sides with relations between them; a value with its error is within that error."""
        sides, relations = [self.sum()], []
        if self.next == r"\propto":
            self.take()
            sides = [f"{sides[0]} / {self.sum()}"]
        while self.next in RELATIONS:
            relations.append(RELATIONS[self.take()])
            sides.append(self.sum(before_error="pm" not in self.names))
            error = f"abs({self.dots}) / 10" if self.dots else ""
            if self.next == r"\pm":
                self.take()
                error = self.term()
            if error:
                sides[-2:], relations[-1] = [f"abs({sides[-2]} - {sides[-1]})", error], "<="
        self.dots = ""
        return Statement(sides, relations)

    def sum(self, *, before_error: bool = False) -> str:
        """Read terms, up to an error if one may follow."""
        source = last = self.take() + self.term() if self.next == "-" else self.term()
        while self.next in ADDED and not (before_error and self.next == r"\pm"):
            sign = self.take()
            if self.next == r"\dots":
                self.take()
                self.dots = last
                break
            if "pm" in ADDED[sign]:
                self.named("pm")
            last = self.term()
            source = f"{source} {ADDED[sign]}{last}"
        return f"({source})"

    def term(self) -> str:
        """Read a product, whose signs may be left out, and quotients."""
        if self.next == r"\pm":
            self.take()
            return f"{self.named('pm')} * {self.term()}"
        source = self.factor()
        while self.next not in ENDS and self.next != self.closing:
            sign = self.take() if self.next in ("/", r"\cdot", r"\times") else ""
            other = self.factor()
            source = f"{source} / {other}" if sign == "/" else f"_.times({source}, {other})"
        return source

    def factor(self) -> str:
        """Read a factor with its power."""
        source = self.base()
        if self.next != "^":
            return source
        self.take()
        if self.next == "T":
            self.take()
            self.names[source] = 2
            return f"_.np.transpose({source})"
        power = self.group()
        if source.startswith("_.call("):
            return f"{source[:-1]}, power={power})"
        return f"({source}) ** {power}"

    def base(self) -> str:
        """Read what a power applies to."""
        if self.next in CLOSING:
            return self.enclosed()
        token = self.take()
        if token[0].isdigit():
            return token
        if token in REPEATED and self.next == "_":
            return self.repeated(REPEATED[token])
        readers = {r"\frac": self.fraction, r"\tfrac": self.fraction, r"\lim": self.limit}
        readers |= {r"\int": self.integral, r"\sqrt": self.root}
        if token in readers:
            return readers[token]()
        function = FUNCTIONS.get(token)
        return f"{function}({self.factor()})" if function else self.symbol(token)

    # What is enclosed

    def enclosed(self) -> str:
        """Read what stands in brackets or bars, and what these make of it."""
        opening, known = self.next, set(self.names)
        source = self.listed()
        if opening == r"\lVert":
            self.names |= {name: self.names[name] or 1 for name in set(self.names) - known}
            kind = (self.subscript() or "2").replace("inf", "_.np.inf")
            return f"_.np.linalg.norm({source}, {kind})"
        return {"|": f"abs{source}", "[": f"_.np.array({source})"}.get(opening, source)

    def listed(self) -> str:
        """Read one sum, or several with commas between them, in brackets of any kind."""
        outside, self.closing = self.closing, CLOSING[self.take()]
        found = [self.sum()]
        while self.next == ",":
            self.take()
            found.append(self.sum())
        self.take(self.closing)
        self.closing = outside
        return found[0] if len(found) == 1 else f"({', '.join(found)})"

    def group(self) -> str:
        """Read an argument: what stands in braces, a letter or a digit."""
        if self.next == "{":
            return self.enclosed()
        token = self.take()
        if not token[0].isdigit():
            return self.name(token)
        self.tokens[:0] = filter(None, [token[1:]])  # of \frac12, the 2
        return token[0]

    # Functions and operators

    def root(self) -> str:
        """Read a root, square if nothing else is said."""
        order = self.listed() if self.next == "[" else "2"
        return f"({self.group()}) ** (1 / {order})"

    def fraction(self) -> str:
        """Read a fraction, or a derivative."""
        if self.tokens[:3] == ["{", "d", "}"]:
            variable, body = self.filled("{ d } { dname } term")
            at = self.filled(r"\Big | _ { name = sum }")[1] if self.next == r"\Big" else variable
            return f"_.derivative(lambda {variable}: {body}, {at}, 1)"
        if self.tokens[1:2] == [r"\partial"]:
            return f"_.partial({', '.join(self.filled('{ partial } { partial }'))})"
        if self.next == "{" and self.tokens[1][0] == "d" and self.tokens[2] == "}":
            return f"_.derivative({', '.join(self.filled('{ dname } { dname }'))}, 1)"
        return f"({self.group()} / {self.group()})"

    def filled(self, form: str) -> list[str]:
        """Read tokens in the form that is given; return what stands in the places that it names."""
        places = {
            "name": lambda: self.name(self.take()),
            "dname": lambda: self.name(self.take()[1:]),
        }
        places |= {"sum": self.sum, "term": self.term, "group": self.group, "partial": self.partial}
        words = form.split()
        return [places[word]() for word in words if word in places or not self.take(word)]

    def partial(self) -> str:
        """Read one of the two parts of a partial derivative: a name, and its indices."""
        self.take(r"\partial")
        name = self.name(self.take())
        return f"{name}, ({self.indices(name, self.subscript())})"

    def limit(self) -> str:
        """Read a limit: what a smooth function comes to."""
        variable, to, body = self.filled(r"_ { name \to sum } term")
        return f"_.derivative(lambda {variable}: {body}, {to}, 0)"

    def integral(self) -> str:
        """Read an integral, which ends with the differential."""
        low, high = self.filled("_ group ^ group")
        outside = self.closing
        self.closing = next(filter(re.compile("d[a-z]").fullmatch, self.tokens), "")
        body, variable = self.filled("term dname")
        self.closing = outside
        return f"_.integral(lambda {variable}: {body}, {low}, {high})"

    def repeated(self, function: str) -> str:
        """Read what is added up, multiplied or compared over indices, as long as its arrays."""
        letters = self.subscript()
        body, loops = self.term(), ""
        for letter in letters:
            found = re.search(rf"_\.at\((\w+), ((?:\w+, )*){letter}\b", body)
            if not found:
                raise ValueError(f"it cannot be read: nothing in it has the index {letter}")
            length = f"_.np.shape({found[1]})[{found[2].count(',')}]"
            loops += f" for {letter} in range({length})"
        return f"{function}([{body}{loops}])"

    # Names

    def symbol(self, token: str) -> str:
        """Read a name with what belongs to it, and its arguments where it may have some."""
        name, subscript = self.name(token), self.subscript()
        primes = len(self.take()) if self.next[:1] == "'" else 0
        if subscript.strip("123456789") and not subscript.strip("123456789ijk"):
            return f"_.at({name}, {self.indices(name, subscript)[:-1]})"
        name += f"_{subscript}" * bool(subscript)
        if primes and self.next == "(":
            return f"_.derivative({self.named(name)}, {self.listed()}, {primes})"
        name += "_prime" * bool(primes) + str(primes) * (primes > 1)
        name = self.named(name + "_" * iskeyword(name))
        return f"_.call({name}, {self.listed()})" if self.next == "(" else name

    def named(self, name: str) -> str:
        """Note a name."""
        self.names.setdefault(name, 0)
        return name

    def name(self, token: str) -> str:
        """Return the name of a letter, with its accent before it."""
        if token in ACCENTS:
            return self.named(f"{token[1:]}_{self.group().strip('()')}")
        if not LETTER.fullmatch(token):
            raise ValueError(f"it cannot be read: {token} is no symbol")
        return self.named(token.replace("\\", ""))

    def subscript(self) -> str:
        """Read a subscript, if there is one, as text."""
        if self.next != "_":
            return ""
        self.take()
        inside = [self.take()]
        while inside[0] == "{" and inside[-1] != "}":
            inside.append(self.take())
        return "".join(IN_WORDS.get(token, token) for token in inside).strip("{}").replace("\\", "")

    def indices(self, name: str, letters: str) -> str:
        """Return indices of an array, and note how many it has."""
        self.names[name] = max(self.names.get(name, 0), len(letters))
        self.names |= {letter: 0 for letter in letters if not letter.isdigit()}
        return ", ".join(letters) + "," * bool(letters)
