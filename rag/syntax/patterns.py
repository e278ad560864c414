"""What defines a name, and what is said about it: a tree-sitter query for each grammar.

A capture is called for the kind of its definition; `comment` is prose. Grammars name their nodes
each in its own way, so this is a table and not a rule.
"""

from collections.abc import Mapping

_C = """
(function_definition) @function
(struct_specifier body: (_)) @struct
(union_specifier body: (_)) @struct
(enum_specifier body: (_)) @enum
(type_definition) @type
(preproc_function_def) @macro
(preproc_def) @constant
(comment) @comment
"""

_JAVASCRIPT = """
(function_declaration) @function
(generator_function_declaration) @function
(class_declaration) @class
(method_definition) @method
(variable_declarator value: [(function_expression) (arrow_function)]) @function
(variable_declarator value: (class)) @class
(program (lexical_declaration (variable_declarator) @variable))
(program (variable_declaration (variable_declarator) @variable))
(program (export_statement (lexical_declaration (variable_declarator) @variable)))
(assignment_expression left: (member_expression)
  right: [(function_expression) (arrow_function) (class)]) @function
(pair key: (property_identifier) value: [(function_expression) (arrow_function)]) @method
(comment) @comment
"""

_TYPESCRIPT = (
    _JAVASCRIPT
    + """
(abstract_class_declaration) @class
(interface_declaration) @interface
(type_alias_declaration) @type
(enum_declaration) @enum
(internal_module) @module
(function_signature) @function
(method_signature) @method
(abstract_method_signature) @method
(public_field_definition value: (arrow_function)) @method
"""
)

PATTERNS: Mapping[str, str] = {
    "bash": """
(function_definition) @function
(program (variable_assignment) @variable)
(comment) @comment
""",
    "c": _C,
    "cpp": _C
    + """
(class_specifier body: (_)) @class
(namespace_definition) @module
(alias_declaration) @type
(concept_definition) @type
""",
    "csharp": """
(class_declaration) @class
(struct_declaration) @struct
(record_declaration) @class
(interface_declaration) @interface
(enum_declaration) @enum
(delegate_declaration) @type
(namespace_declaration) @module
(method_declaration) @method
(constructor_declaration) @method
(property_declaration) @variable
(field_declaration (variable_declaration (variable_declarator) @variable))
(local_function_statement) @function
(comment) @comment
""",
    "elixir": """
((call target: (identifier) @keyword) @module
  (#any-of? @keyword "defmodule" "defprotocol" "defimpl"))
((call target: (identifier) @keyword) @function
  (#any-of? @keyword "def" "defp" "defdelegate" "defguard" "defguardp" "defn"))
((call target: (identifier) @keyword) @macro (#any-of? @keyword "defmacro" "defmacrop"))
((unary_operator operator: "@" operand: (call target: (identifier) @keyword)) @comment
  (#any-of? @keyword "doc" "moduledoc" "typedoc" "shortdoc"))
(comment) @comment
""",
    "go": """
(function_declaration) @function
(method_declaration) @method
(type_spec) @type
(type_alias) @type
(source_file (const_declaration (const_spec) @constant))
(source_file (var_declaration (var_spec) @variable))
(source_file (var_declaration (var_spec_list (var_spec) @variable)))
(method_elem) @method
(comment) @comment
""",
    "haskell": """
(function name: (_)) @function
(bind) @function
(signature) @function
(data_type) @type
(newtype) @type
(type_synonym) @type
(class) @class
(instance) @container
(comment) @comment
(haddock) @comment
""",
    "java": """
(class_declaration) @class
(interface_declaration) @interface
(enum_declaration) @enum
(record_declaration) @class
(annotation_type_declaration) @interface
(method_declaration) @method
(constructor_declaration) @method
(field_declaration (variable_declarator) @variable)
(line_comment) @comment
(block_comment) @comment
""",
    "javascript": _JAVASCRIPT,
    "kotlin": """
(class_declaration) @class
(object_declaration) @class
(companion_object) @container
(function_declaration) @function
(property_declaration) @variable
(type_alias) @type
(line_comment) @comment
(block_comment) @comment
""",
    "lua": """
(function_declaration) @function
(assignment_statement (expression_list value: (function_definition))) @function
(chunk (variable_declaration) @variable)
(field value: (function_definition)) @method
(comment) @comment
""",
    "php": """
(class_declaration) @class
(interface_declaration) @interface
(trait_declaration) @class
(enum_declaration) @enum
(function_definition) @function
(method_declaration) @method
(const_element) @constant
(property_element) @variable
(comment) @comment
""",
    "python": """
(class_definition) @class
(function_definition) @function
(module (expression_statement (assignment left: (identifier)) @variable))
(class_definition body: (block (expression_statement (assignment left: (identifier)) @variable)))
(block . (expression_statement (string) @comment))
(module . (expression_statement (string) @comment))
(comment) @comment
""",
    "ruby": """
(class) @class
(module) @module
(method) @method
(singleton_method) @method
(assignment left: (constant)) @constant
(comment) @comment
""",
    "rust": """
(function_item) @function
(function_signature_item) @function
(struct_item) @struct
(union_item) @struct
(enum_item) @enum
(trait_item) @interface
(impl_item) @container
(mod_item body: (_)) @module
(macro_definition) @macro
(const_item) @constant
(static_item) @constant
(type_item) @type
(line_comment) @comment
(block_comment) @comment
""",
    "scala": """
(class_definition) @class
(object_definition) @class
(trait_definition) @interface
(enum_definition) @enum
(function_definition) @function
(function_declaration) @function
(val_definition) @variable
(type_definition) @type
(given_definition) @variable
(comment) @comment
(block_comment) @comment
""",
    "swift": """
(class_declaration) @class
(protocol_declaration) @interface
(function_declaration) @function
(protocol_function_declaration) @function
(init_declaration) @method
(property_declaration) @variable
(typealias_declaration) @type
(comment) @comment
(multiline_comment) @comment
""",
    "tsx": _TYPESCRIPT,
    "typescript": _TYPESCRIPT,
    "zig": """
(function_declaration) @function
(variable_declaration (struct_declaration)) @struct
(variable_declaration (enum_declaration)) @enum
(variable_declaration (union_declaration)) @struct
(source_file (variable_declaration) @variable)
(test_declaration) @test
(comment) @comment
""",
}
