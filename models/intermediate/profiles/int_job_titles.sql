{# The part in a buying decision that each job title tells (seed job_titles), titles as they are spelled in the files.

   A pattern matches where its words stand in the title side by side; the longest one decides, of equally long ones the role
   that is higher in seed buying_roles. A pattern of role `none` (assistant to, former) takes any role away, unless it is part
   of a longer pattern that matches (secretary general). A pattern of role `word` tells nothing: it takes away the matches of its
   own parts (classified ad), and its words are no misspellings (grinder, which is no Gründer). A title with a long word that no pattern has is read once more with
   that word corrected to the nearest word of the patterns; where that makes a longer pattern match, it decides, unless
   corrections do not agree on a role. #}
with titles as (

    select
        spelling,
        {{ title_words('spelling') }} as words
    from (
        select distinct {{ spelling_of('job_title') }} as spelling
        from {{ ref('stg_company_contacts') }}
        where {{ trimmed('job_title') }} <> ''
    ) as spellings

),

patterns as (

    select
        patterns.words,
        max(patterns.role) as role,
        max(coalesce(roles.sort_order, 0)) as sort_order
    from (
        select
            {{ title_words('pattern') }} as words,
            role
        from {{ ref('job_titles') }}
    ) as patterns
    left join {{ ref('buying_roles') }} as roles on patterns.role = roles.role
    where trim(patterns.words) <> ''
    group by patterns.words

),

pattern_words as (

    select distinct
        word,
        {{ letters_as_bytes('word') }} as letters
    from (
        select {{ each_part('trim(words)', ' ') }} as word
        from patterns
    ) as words

),

odd_words as (

    select distinct
        words.spelling,
        words.words,
        words.word,
        {{ letters_as_bytes('words.word') }} as letters
    from (
        select
            spelling,
            words,
            {{ each_part('trim(words)', ' ') }} as word
        from titles
    ) as words
    left join pattern_words on words.word = pattern_words.word
    where
        pattern_words.word is null
        and length(words.word) between {{ var('title_typo_min_length') | int }} and {{ var('title_typo_max_length') | int }}

),

-- A slip of the pen rarely hits the first letter, and other words often differ in it alone.
near_words as (

    select
        odd_words.spelling,
        odd_words.words,
        odd_words.word,
        pattern_words.word as meant,
        levenshtein(odd_words.letters, pattern_words.letters) as edits
    from odd_words
    inner join pattern_words
        on
            left(odd_words.word, 1) = left(pattern_words.word, 1)
            and abs(length(odd_words.word) - length(pattern_words.word)) <= 2
            and length(pattern_words.word) >= {{ var('title_typo_min_length') | int }}
    where
        {{ replace_all('odd_words.letters', '[A-Za-z0-9]+', '') }} = ''
        and levenshtein(odd_words.letters, pattern_words.letters)
        <= case when length(odd_words.word) >= {{ var('title_two_typos_min_length') | int }} then 2 else 1 end

),

nearest_words as (

    select
        spelling,
        words,
        word,
        meant,
        rank() over (partition by spelling, word order by edits asc) as place
    from near_words

),

texts as (

    select spelling, 0 as is_corrected, '' as variant, words
    from titles
    union all
    select
        spelling,
        1 as is_corrected,
        word || ' ' || meant as variant,
        replace(words, ' ' || word || ' ', ' ' || meant || ' ') as words
    from nearest_words
    where place = 1

),

matches as (

    select
        texts.spelling,
        texts.is_corrected,
        texts.variant,
        patterns.words as pattern,
        patterns.role,
        patterns.sort_order
    from texts
    inner join patterns on texts.words like '%' || patterns.words || '%'

),

overruled_matches as (

    select distinct
        narrow.spelling,
        narrow.variant,
        narrow.pattern
    from matches as narrow
    inner join matches as wide
        on
            narrow.spelling = wide.spelling
            and narrow.variant = wide.variant
            and wide.pattern like '%' || narrow.pattern || '%'
            and length(wide.pattern) > length(narrow.pattern)
    where (narrow.role = 'none' and wide.role <> 'none') or (wide.role = 'word' and narrow.role <> 'word')

),

ranked_matches as (

    select
        matches.spelling,
        matches.is_corrected,
        matches.pattern,
        matches.role,
        row_number() over (
            partition by matches.spelling, matches.variant
            order by
                case when matches.role = 'none' then 0 else 1 end asc,
                length(matches.pattern) desc,
                matches.sort_order desc,
                matches.pattern asc
        ) as place
    from matches
    left join overruled_matches as overruled
        on
            matches.spelling = overruled.spelling
            and matches.variant = overruled.variant
            and matches.pattern = overruled.pattern
    where overruled.pattern is null and matches.role <> 'word'

),

spoken_titles as (

    select
        spelling,
        role,
        trim(pattern) as pattern,
        length(pattern) as pattern_length
    from ranked_matches
    where is_corrected = 0 and place = 1

),

-- A correction that only leaves what was read before corrects nothing.
corrected_titles as (

    select
        corrected.spelling,
        corrected.role,
        trim(corrected.pattern) as pattern,
        dense_rank() over (partition by corrected.spelling order by length(corrected.pattern) desc) as place
    from ranked_matches as corrected
    left join spoken_titles as spoken on corrected.spelling = spoken.spelling
    where
        corrected.is_corrected = 1
        and corrected.place = 1
        and (
            spoken.spelling is null
            or (spoken.role <> 'none' and (corrected.role = 'none' or length(corrected.pattern) > spoken.pattern_length))
        )

),

corrections as (

    select
        spelling,
        case when min(role) = max(role) then min(role) end as role,
        min(pattern) as pattern
    from corrected_titles
    where place = 1 or role = 'none'
    group by spelling

)

select
    titles.spelling,
    trim(titles.words) as words,
    coalesce(corrections.role, spoken.role) as role,
    case when corrections.role is not null then corrections.pattern else spoken.pattern end as pattern,
    corrections.role is not null as is_corrected
from titles
left join spoken_titles as spoken on titles.spelling = spoken.spelling
left join corrections on titles.spelling = corrections.spelling
