"""Which language a file is written in, and which of them have a grammar.

Grammars come one to a wheel and are pinned in pyproject.toml. A file in any other language is cut
at blank lines and indentation, and its definitions are not known.
"""

import posixpath
from collections.abc import Mapping

GRAMMARS: Mapping[str, tuple[str, str]] = {
    "bash": ("tree_sitter_bash", "language"),
    "c": ("tree_sitter_c", "language"),
    "cpp": ("tree_sitter_cpp", "language"),
    "csharp": ("tree_sitter_c_sharp", "language"),
    "elixir": ("tree_sitter_elixir", "language"),
    "go": ("tree_sitter_go", "language"),
    "haskell": ("tree_sitter_haskell", "language"),
    "java": ("tree_sitter_java", "language"),
    "javascript": ("tree_sitter_javascript", "language"),
    "kotlin": ("tree_sitter_kotlin", "language"),
    "lua": ("tree_sitter_lua", "language"),
    "php": ("tree_sitter_php", "language_php"),
    "python": ("tree_sitter_python", "language"),
    "ruby": ("tree_sitter_ruby", "language"),
    "rust": ("tree_sitter_rust", "language"),
    "scala": ("tree_sitter_scala", "language"),
    "swift": ("tree_sitter_swift", "language"),
    "tsx": ("tree_sitter_typescript", "language_tsx"),
    "typescript": ("tree_sitter_typescript", "language_typescript"),
    "zig": ("tree_sitter_zig", "language"),
}
"""Module of each grammar, and the function in it that gives the language."""

_EXTENSIONS: Mapping[str, str] = {
    "bash": "sh bash zsh ksh bats",
    "c": "c h",
    "cpp": "cpp cc cxx c++ hpp hh hxx h++ ipp inl tpp cu cuh",
    "csharp": "cs csx",
    "elixir": "ex exs",
    "go": "go",
    "haskell": "hs",
    "java": "java",
    "javascript": "js mjs cjs jsx",
    "kotlin": "kt kts",
    "lua": "lua",
    "php": "php phtml",
    "python": "py pyi pyw",
    "ruby": "rb rake gemspec ru",
    "rust": "rs",
    "scala": "scala sc sbt",
    "swift": "swift",
    "tsx": "tsx",
    "typescript": "ts mts cts",
    "zig": "zig zon",
    # without a grammar here
    "ada": "adb ads",
    "assembly": "s asm",
    "clojure": "clj cljs cljc edn",
    "cmake": "cmake",
    "cobol": "cob cbl cpy",
    "config": "cfg conf ini properties env",
    "crystal": "cr",
    "css": "css scss sass less",
    "d": "d",
    "dart": "dart",
    "erlang": "erl hrl",
    "fortran": "f f90 f95 f03 for",
    "fsharp": "fs fsi fsx",
    "graphql": "graphql gql",
    "groovy": "groovy gradle",
    "hcl": "tf hcl",
    "html": "html htm vue svelte eex heex leex erb ejs hbs twig",
    "json": "json json5 jsonc",
    "julia": "jl",
    "lisp": "lisp el scm rkt",
    "markdown": "md markdown mdx rst adoc txt",
    "nim": "nim",
    "nix": "nix",
    "objectivec": "m mm",
    "ocaml": "ml mli",
    "pascal": "pas pp",
    "perl": "pl pm t",
    "powershell": "ps1 psm1 psd1",
    "protobuf": "proto",
    "r": "r",
    "solidity": "sol",
    "sql": "sql",
    "toml": "toml",
    "verilog": "v sv svh",
    "vhdl": "vhd vhdl",
    "xml": "xml xsd xsl csproj props targets",
    "yaml": "yml yaml",
}
_BY_EXTENSION = {
    extension: language for language, all in _EXTENSIONS.items() for extension in all.split()
}
_BY_NAME = {
    "makefile": "make",
    "gnumakefile": "make",
    "dockerfile": "docker",
    "rakefile": "ruby",
    "gemfile": "ruby",
    "cmakelists.txt": "cmake",
    "jenkinsfile": "groovy",
    "build": "starlark",
    "build.bazel": "starlark",
    "workspace": "starlark",
}
_BY_INTERPRETER = {
    "sh": "bash",
    "bash": "bash",
    "zsh": "bash",
    "dash": "bash",
    "python": "python",
    "python2": "python",
    "python3": "python",
    "node": "javascript",
    "deno": "typescript",
    "ruby": "ruby",
    "lua": "lua",
    "php": "php",
    "perl": "perl",
}
DATA = frozenset({"config", "css", "html", "json", "markdown", "toml", "xml", "yaml"})
"""What is about code rather than code: documents, data, layout."""

ALIASES: Mapping[str, str] = {
    "py": "python",
    "js": "javascript",
    "ts": "typescript",
    "rs": "rust",
    "rb": "ruby",
    "cs": "csharp",
    "c#": "csharp",
    "c++": "cpp",
    "golang": "go",
    "shell": "bash",
    "sh": "bash",
    "kt": "kotlin",
    "ex": "elixir",
    "hs": "haskell",
    "md": "markdown",
    "yml": "yaml",
}
"""Other names that a person has for them."""


def language_of(path: str, beginning: str = "") -> str:
    """By name, by extension, or by the interpreter that its first line names; `text` for others.

    Args:
        beginning: of its text; asked only where the name does not tell.
    """
    name = posixpath.basename(path).lower()
    known = _BY_NAME.get(name) or _BY_EXTENSION.get(posixpath.splitext(name)[1][1:])
    return known or _interpreted(beginning) or "text"


def language_named(name: str) -> str:
    """The language that somebody calls so: `py`, `C++`, `Python`."""
    lowered = name.lower()
    return ALIASES.get(lowered, lowered)


def known_languages() -> frozenset[str]:
    return frozenset({*_EXTENSIONS, *_BY_NAME.values(), "text"})


def _interpreted(beginning: str) -> str | None:
    line = beginning.split("\n", 1)[0]
    if not line.startswith("#!"):
        return None
    words = [word.rpartition("/")[2] for word in line[2:].split()]
    return next((_BY_INTERPRETER[word] for word in words if word in _BY_INTERPRETER), None)
