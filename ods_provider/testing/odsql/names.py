"""Names of months and days in the languages of a portal, for ``date_format``.

Source: Explore v2.1, ``lang``; Q62. Short names are those of CLDR, with their stops.
"""

from __future__ import annotations

from ods_provider.testing.odsql.fields import OdsqlError

# months | short months | days from Monday | short days
_NAMES = {
    "en": (
        "January February March April May June July August September October November December",
        "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec",
        "Monday Tuesday Wednesday Thursday Friday Saturday Sunday",
        "Mon Tue Wed Thu Fri Sat Sun",
    ),
    "fr": (
        "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
        "janv. févr. mars avr. mai juin juil. août sept. oct. nov. déc.",
        "lundi mardi mercredi jeudi vendredi samedi dimanche",
        "lun. mar. mer. jeu. ven. sam. dim.",
    ),
    "nl": (
        "januari februari maart april mei juni juli augustus september oktober november december",
        "jan. feb. mrt. apr. mei jun. jul. aug. sep. okt. nov. dec.",
        "maandag dinsdag woensdag donderdag vrijdag zaterdag zondag",
        "ma di wo do vr za zo",
    ),
    "pt": (
        "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
        "jan. fev. mar. abr. mai. jun. jul. ago. set. out. nov. dez.",
        "segunda-feira terça-feira quarta-feira quinta-feira sexta-feira sábado domingo",
        "seg. ter. qua. qui. sex. sáb. dom.",
    ),
    "it": (
        "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
        "gen feb mar apr mag giu lug ago set ott nov dic",
        "lunedì martedì mercoledì giovedì venerdì sabato domenica",
        "lun mar mer gio ven sab dom",
    ),
    "ar": (
        "يناير فبراير مارس أبريل مايو يونيو يوليو أغسطس سبتمبر أكتوبر نوفمبر ديسمبر",
        "يناير فبراير مارس أبريل مايو يونيو يوليو أغسطس سبتمبر أكتوبر نوفمبر ديسمبر",
        "الاثنين الثلاثاء الأربعاء الخميس الجمعة السبت الأحد",
        "الاثنين الثلاثاء الأربعاء الخميس الجمعة السبت الأحد",
    ),
    "de": (
        "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
        "Jan. Feb. März Apr. Mai Juni Juli Aug. Sept. Okt. Nov. Dez.",
        "Montag Dienstag Mittwoch Donnerstag Freitag Samstag Sonntag",
        "Mo. Di. Mi. Do. Fr. Sa. So.",
    ),
    "es": (
        "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
        "ene feb mar abr may jun jul ago sept oct nov dic",
        "lunes martes miércoles jueves viernes sábado domingo",
        "lun mar mié jue vie sáb dom",
    ),
    "ca": (
        "gener febrer març abril maig juny juliol agost setembre octubre novembre desembre",
        "gen. febr. març abr. maig juny jul. ag. set. oct. nov. des.",
        "dilluns dimarts dimecres dijous divendres dissabte diumenge",
        "dl. dt. dc. dj. dv. ds. dg.",
    ),
    "eu": (
        "urtarrila otsaila martxoa apirila maiatza ekaina uztaila abuztua iraila urria azaroa abendua",
        "urt. ots. mar. api. mai. eka. uzt. abu. ira. urr. aza. abe.",
        "astelehena asteartea asteazkena osteguna ostirala larunbata igandea",
        "al. ar. az. og. or. lr. ig.",
    ),
    "sv": (
        "januari februari mars april maj juni juli augusti september oktober november december",
        "jan. feb. mars apr. maj juni juli aug. sep. okt. nov. dec.",
        "måndag tisdag onsdag torsdag fredag lördag söndag",
        "mån tis ons tors fre lör sön",
    ),
}
LANGUAGES = tuple(_NAMES)
# A letter of a pattern, repeated so often: which row above, and what counts into it.
_ROWS = {"MMMM": (0, "month"), "MMM": (1, "month"), "EEEE": (2, "isodow"), "EEE": (3, "isodow")}
_ROWS |= {"EE": (3, "isodow"), "E": (3, "isodow")}


def named(pattern: str, lang: str, cell: str) -> str | None:
    """Return the SQL of a month's or a day's name, None where the pattern is a number.

    Raises:
        OdsqlError: A language that portals do not speak.
    """
    if pattern not in _ROWS:
        return None
    if lang not in _NAMES:
        raise OdsqlError("InvalidRESTParameterError", f"Invalid value for lang API parameter: {lang}.")
    row, part = _ROWS[pattern]
    words = ", ".join("'" + word.replace("'", "''") + "'" for word in _NAMES[lang][row].split())
    return f"list_extract([{words}], {part}({cell})::INTEGER)"
