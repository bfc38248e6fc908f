{# Job titles as words: what titles and the patterns of seeds are compared by. #}

{# The letters that count as another one, whatever a file or a keyboard made of them. #}
{% macro folded_letters() %}
    {{- return({
        'a': 'áàâäãåāąă', 'c': 'çćčĉ', 'd': 'ďđ', 'e': 'éèêëěēęė', 'g': 'ğģ', 'i': 'íìîïīįı', 'l': 'łľĺ', 'n': 'ñńňņ',
        'o': 'óòôöõøōő', 'r': 'ŕřŗ', 's': 'śšşșŝ', 't': 'ťţțŧ', 'u': 'úùûüůűūų', 'y': 'ýÿ', 'z': 'źžż', 'е': 'ё', 'и': 'й'
    }) -}}
{% endmacro %}

{# The words of a text with one blank around each, in lower case, without accents, punctuation, marks of gender such as (m/f/d)
   and filling words (var job_title_fillers): ` geschaftsfuhrer vertrieb `. Umlauts written as two letters (ae, oe, ue) are
   the same as without dots. #}
{% macro title_words(text) -%}
    {%- set froms, tos = [], [] -%}
    {%- for plain, letters in folded_letters().items() -%}
        {%- for letter in letters -%}{%- do froms.append(letter) -%}{%- do tos.append(plain) -%}{%- endfor -%}
    {%- endfor -%}
    {%- set bare = replace_all(lower_case(text), '\\p{M}+', '') -%}
    {%- set folded = "translate(" ~ bare ~ ", '" ~ froms | join ~ "', '" ~ tos | join ~ "')" -%}
    {%- set vowels = "replace(replace(replace(replace(replace(replace(" ~ folded ~ ", 'ß', 'ss'), 'œ', 'oe'), 'æ', 'ae'), 'ae', 'a'), 'oe', 'o'), 'ue', 'u')" -%}
    {%- set ungendered = replace_all("' ' || " ~ vowels ~ " || ' '", '([ (])[mwdfhxk]( ?[/|] ?[mwdfhxk])+', ' ') -%}
    {%- set words = replace_all(ungendered, '[^\\p{L}\\p{N}]+', ' ') -%}
    {{- replace_all(words, '( (' ~ var('job_title_fillers') | join('|') ~ '))+ ', ' ') -}}
{%- endmacro %}

{# A word in one byte a letter, so that engines count the same edits: DuckDB counts bytes, Spark letters. #}
{% macro letters_as_bytes(word) -%}
    translate({{ word }}, 'абвгдежзиклмнопрстуфхцчшщъыьэюя', 'ABVGDEJZIKLMNOPRSTUFHCQWXY90123')
{%- endmacro %}
