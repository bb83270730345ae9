"""From bytes and HTML to the text that a person sees."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailbot.core.mail.charsets import decode_header, decode_text, unwrap_flowed
from mailbot.core.mail.html import visible_text as pages
from mailbot.core.mail.html.tokenizer import OverCap


def text_of(html: str) -> str:
    return pages.visible_text(html).text


quick = settings(max_examples=150, deadline=None, database=None)


@pytest.mark.parametrize(
    ("data", "charset", "text"),
    [
        (b"plain", None, "plain"),
        ("è".encode(), "utf-8", "è"),
        (b"\xe8 \x93x\x94", "ISO-8859-1", "è “x”"),  # a Latin-1 label on windows-1252, as browsers read it
        ("日本".encode("iso-2022-jp"), "iso-2022-jp", "日本"),
        ("中文".encode("gb18030"), "GB2312", "中文"),
        ("\ufeffè".encode("utf-16-le"), "utf-16", "è"),
        ("però".encode("utf-16-le"), "utf-16", "però"),
        ("però".encode("utf-16-be"), "utf-16", "però"),
        ("\ufeffè".encode(), "us-ascii", "è"),
        (b"a\r\nb\rc\0", "us-ascii", "a\nb\nc"),
    ],
)
def test_text_is_decoded_from_its_character_set(data, charset, text):
    assert decode_text(data, charset) == (text, None)


@pytest.mark.parametrize(
    ("data", "charset", "text"),
    [
        ("è".encode(), None, "è"),
        ("è".encode(), "us-ascii", "è"),
        (b"\xe8", "utf-8", "è"),
        ("è".encode(), "x-unknown", "è"),
        (b"ascii", "utf-16", "ascii"),
        ("è".encode(), "punycode", "è"),
        (b"x", "rot13", "x"),
        (b"x", "../../etc", "x"),
        (b"x", "a" * 5000, "x"),
    ],
)
def test_a_wrong_charset_label_is_a_defect_and_the_text_is_still_read(data, charset, text):
    read, defect = decode_text(data, charset)
    assert read == text
    assert defect


def test_decoded_text_has_no_lone_surrogates():
    assert decode_text(b"a+2AA-b", "utf-7") == ("a?b", None)


def test_format_flowed_paragraphs_are_joined():
    assert unwrap_flowed("one \ntwo\nthree", delsp=False) == "one two\nthree"
    assert unwrap_flowed("tele \nphones", delsp=True) == "telephones"
    assert unwrap_flowed("> a \n> b\n>> c", delsp=False) == "> a b\n>> c"
    assert unwrap_flowed("> a \nmine", delsp=False) == "> a \nmine"  # quoted and own text are never one paragraph
    assert unwrap_flowed(" >stuffed", delsp=False) == ">stuffed"
    assert unwrap_flowed("-- \nsignature", delsp=False) == "-- \nsignature"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("plain", "plain"),
        ("=?utf-8?q?caf=C3=A9_noir?=", "café noir"),
        ("=?utf-8?q?caf=C3?= =?UTF-8?q?=A9?=", "café"),  # one letter cut over two words
        ("=?utf-8?b?YQ==?=  =?iso-8859-1*en?q?=E9?= x", "aé x"),
        ("a =?utf-8?q?b?= c", "a b c"),
        ("=?utf-8?b?!?=", ""),
        ("=?utf-8?b?YWJj!YWJjZ?=", "abcabc"),
        ("=?utf-8?x?a?=", "=?utf-8?x?a?="),
        ("=?nonsense?q?a?=", "a"),
    ],
)
def test_encoded_words_are_decoded(value, text):
    assert decode_header(value) == text


def test_cells_of_a_table_row_stay_on_one_line():
    html = "<table><tr><td><p>Label:</p><td><div>value</div></tr><tr><th>Users</th><td>&nbsp;</td></tr></table>"
    assert text_of(html) == "Label:\tvalue\nUsers\t"


def test_cells_of_a_layout_table_become_lines():
    inner = "<table><tr><td>Token</td><td>X</td></tr><tr><td>Agents</td><td>5</td></tr></table>"
    html = f"<table><tr><td>{inner}</td></tr></table>"
    assert text_of(html) == "Token\tX\nAgents\t5"


def test_list_items_and_checkboxes_are_marked():
    html = "<ul><li>one<li><p>two</p></ul><label><input type=checkbox checked>Botify</label> <input type=CHECKBOX>Other"
    assert text_of(html) == "- one\n- two\n\n[x] Botify [ ] Other"


def test_quoted_html_stays_quoted():
    inner = '<blockquote class="gmail_quote">a<blockquote>b</blockquote></blockquote>'
    html = f'<div>OK</div><div class="gmail_quote">On Monday:{inner}</div>'
    assert text_of(html) == "OK\n\n> On Monday:\n>\n> a\n>\n>> b"
    assert text_of("x<blockquote type=cite>1<br>2</blockquote>y") == "x\n\n> 1\n> 2\n\ny"


def test_html_space_is_kept_only_where_it_is_shown():
    assert text_of("<p>a\n  b</p><pre>a\n  b</pre>") == "a b\n\na\n  b"
    assert text_of("a<br><br>b&nbsp;&nbsp;c\u200b") == "a\n\nb  c"


@pytest.mark.parametrize(
    "hidden",
    [
        "<p hidden>X</p>",
        "<p style='DISPLAY : none!important'>X</p>",
        "<p style='display:none'><b style='display:block'>X</b></p>",
        "<p style='visibility:hidden'>X</p>",
        "<p style='font-size:0'>X</p>",
        "<p style='font-size:1px'>X</p>",
        "<p style='opacity:0.0'>X</p>",
        "<p style='max-height:0px;overflow:hidden'>X</p>",
        "<p style='mso-hide:all'>X</p>",
        "<p style='color:#FFF'>X</p>",
        "<p style='color:rgb(255, 255, 255)'>X</p>",
        "<div style='background:#000'><font color=black>X</font></div>",
        "<style>.a{color:red} p.b , .c {display:none}</style><p class='z b'>X</p>",
        "<style>/* } */#i{visibility:hidden}</style><p id=i>X</p>",
        "<!-- X -->",
        "<!--[if mso]><p>X</p><![endif]-->",
        "<script>X</script><style>X</style><title>X</title><template>X</template>",
        "<script>'</scrip'; X",
        "<p title='X' alt='>X<'></p>",
        "<input type=hidden value=X>",
        "<p style='color:rgb(100%, 100%, 100%)'>X</p>",
        "<p style='color:#fffffe'>X</p>",
        "<p style='color:transparent'>X</p>",
        "<p style='position:absolute;left:-9999px'>X</p>",
        "<p style='text-indent:-999em'>X</p>",
        "<p style='d\\69 splay:none'>X</p>",
        "<p style='display/* * */:none'>X</p>",
        "<p style='display&#58;none'>X</p>",
        "<style>div.q p{display:none}</style><div class=q><p>X</div>",
        "<style>div>p:not(.k){position:absolute;left:-9999px}</style><div><p>X</div>",
        "<style>.b{clip:rect(0 0 0 0);position:absolute}</style><p class=b>X",
        "<style>.b{color:#fff}.c{font:0/0 a}</style><p class=b>X<p class=c>X",
        "<style>p[title].b{opacity:0}</style><p class=b title=a>X",
        "<style>.\\62 {d\\69 splay:none}</style><p class=b>X",
        "<style>@media screen and (min-width:1px){@supports (a:b){.b{display:none}}}</style><p class=b>X",
        "<style media=screen>:is(a:hover,.q),.b{display:none</style><p class=b>X",
        "<style>a{content:'}/*'}.b{display:none}a{content:'*/'}</style><p class=b>X",
        "<noscript><style>.b{display:none!important}</style><p class=b style='display:block'>X</noscript>",
        "<p style='display:none;display:bogus;font-family:\";display:block;\"'>X",
        "<p style='clip-path:inset(50%)'>X</p><p style='transform:scale(0,1)'>X</p><dialog>X</dialog>",
        "<p style='transform:translateX(-9999px)'>X</p><p style='position:relative;top:-999px'>X</p>",
        "<p style='width:1px;height:1px;overflow:hidden'>X</p><p style='margin:0 0 0 -9999px'>X</p>",
        "<p style='color:#0000'>X<p style='color:hsl(0,0%,100%)'>X<p style='-webkit-text-fill-color:#fffffe'>X",
        "<p style='font-size:1%'><b style='font-size:100%'>X",
        "<div>" * 600 + "<p hidden>X</p>",
        "<div>" * 600 + "<p hidden><div></div>X",
        "<p style='opacity:.01'>b</p>",
        "<p style='inset:-9999px;position:absolute'>b</p>",
        "<p style='left:9999px;position:absolute'>b</p>",
        "<p style='margin-inline-start:-9999px'>b</p>",
        "<p style='block-size:0;overflow:hidden'>b</p>",
    ],
)
def test_hidden_html_is_left_out(hidden):
    assert text_of(f"<div>a</div>{hidden}") == "a"


@pytest.mark.parametrize(
    "seen",
    [
        "<p style='font-size:0'><b style='font-size:13px'>X</b></p>",
        "<p style='visibility:hidden'><b style='visibility:visible'>X</b></p>",
        "<table><tr><td bgcolor=#003366><span style='color:#fff'>X</span></table>",
        "<div style='background:url(a.png)'><span style='color:white'>X</span></div>",
        "<style>@media print{.a{display:none}}</style><p class=a>X</p>",
        "<style>.a{display:none}</style><p class=a style='display:block'>X</p>",
        "<p style='opacity:0.5;font-size:.9em'>X</p>",
        "<p style='margin-left:36pt;text-indent:-18.0pt;color:#eee'>X</p>",
        "<div style='position:relative;left:-10px'>X</div>",
        "<![if !mso]><p>X</p><![endif]>",
        "<textarea><b>X</textarea>",
        "<noscript>X</noscript>",
        "<p aria-hidden=true style='transform:none'>X",
        "<style>a:hover{display:none}.b{color:#fff;background:#036}</style><a class=b>X",
        "<style>@media (prefers-color-scheme:dark){p{color:#fff;background:#000}}</style><p>X",
        "< b & X",
    ],
)
def test_html_that_only_looks_hidden_is_kept(seen):
    assert "X" in text_of(f"<div>a</div>{seen}")


@pytest.mark.parametrize(
    "doubtful",
    [
        "<style>@media (max-width:500px){.b{display:none}}</style><p class=b>X",
        "<style>.a{.b{display:none}}</style><p class=a><b class=b>X",
        "<style>p::first-line{font-size:0}</style><p>X",
        "<link rel=stylesheet href=x><p>X",
        "<style>@import 'x';</style><p>X",
        "<details><summary>b</summary>X</details>",
        "<p style='transform:rotate(90deg)'>X",
        "<p style='font-size:calc(1px - 1px)'>X",
        "<p style='font-size:3px'>X",
        "<p style='color:#e6e6e6'>X",
        "<p style='color:floralwhite'>X",
        "<p style='color:rgba(0,0,0,.07)'>X",
        "<p style='color:oklch(1 0 0)'>X",
        "<div style='background:url(a.png)'><p style='color:#fff'>X</div>",
        "<p style='opacity:.1'>X",
        "<p style='zoom:.01'>X",
        "<p style='mix-blend-mode:screen'>X",
        "<p style='-webkit-mask:url(a.png)'>X",
        "<p style='translate:-300px'>X",
        "<p style='z-index:-1;position:relative'>X",
        "<p style='position:absolute;left:-99px'>X",
        "<p style='text-indent:-80px'>X",
        "<p style='text-indent:100%;overflow:hidden'>X",
        "<p style='letter-spacing:-1em'>X",
        "<p style='line-height:0'>X",
        "<p style='max-height:3px;overflow:hidden'>X",
        "<p style='unicode-bidi:bidi-override;direction:rtl'>X",
        "<p><bdo dir=rtl>X</bdo>",
        "<style>@media (max-width:500px){.b{display:none}}</style>" + "<p class=b>X" * 11_000,
    ],
)
def test_html_that_only_some_programs_show_is_left_out_of_the_certain_text(doubtful):
    shown = pages.visible_text(f"a{doubtful}")
    assert "X" in shown.text
    assert "X" not in shown.surely


@pytest.mark.parametrize(
    "sheet",
    [
        "a" * 200_001,
        "".join(f"p{{left:{number}px}}" for number in range(400)),
        "* ~ *{color:red}",
        "".join(f"*{{{side}:{'9' * 99}}}" for side in ("left", "right", "top", "bottom")),
    ],
    ids=["long", "many rules", "siblings", "wide"],
)
def test_oversized_style_sheets_set_the_mail_aside(sheet):
    with pytest.raises(OverCap):
        text_of(f"<style>{sheet}</style>" + "<p>a" * 29_000)


@pytest.mark.series(3)
@pytest.mark.parametrize(
    "html",
    [
        "<div>" * 150_000,
        "<p " + "a1 " * 150_000 + ">",
        "<table><tr><td>" * 30_000,
        "<blockquote>" * 50_000 + "a<br>" * 5_000,
    ],
    ids=["nested", "attributes", "tables", "quotes"],
)
def test_a_megabyte_of_tags_is_read_with_the_text_behind_it(html):
    assert text_of(html + ">X").strip(">\n ").endswith("X")


@quick
@given(st.text(alphabet=st.sampled_from("<>/!-=\"' abdtrstylepXhidden\n&;{}"), max_size=300))
def test_reading_html_never_raises(html):
    text_of(html)


@quick
@given(st.binary(), st.sampled_from(["utf-8", "utf-7", "utf-16", "iso-2022-jp", "hz", "cp932", "big5", "x", None]))
def test_decoding_never_raises_and_its_text_can_be_encoded(data, charset):
    decode_text(data, charset)[0].encode()


@quick
@given(st.text(alphabet=st.sampled_from("=?utf-8qQbB_ \té01"), max_size=100))
def test_decoding_encoded_words_never_raises(value):
    decode_header(value).encode()


@pytest.mark.series(3)
@pytest.mark.parametrize("tag", ["<div>", "</p>", "</br>", "<blockquote>", "<b>", "<p>", "<table><tr><td>"])
def test_beyond_the_tag_limit_all_text_is_kept_without_tags(tag):
    html = f"{tag}word " * 40_000
    assert text_of(html).count("word") == 40_000


@pytest.mark.parametrize(
    "struck",
    ["<s>10</s>", "<strike>10</strike>", "<del>10</del>", '<span style="text-decoration: line-through">10</span>'],
)
def test_struck_text_is_marked(struck: str) -> None:
    assert text_of(f"<p>Agents: {struck} 12</p>") == "Agents: ~~10~~ 12"


def test_superscript_digits_stay_superscript_and_superscript_letters_are_plain() -> None:
    assert text_of("<p>Agents: 12<sup>2</sup>, the 1<sup>st</sup></p>") == "Agents: 12², the 1st"
