"""Patterns for the words around a chosen letter, in several languages.

Latin, Greek and Cyrillic words end at a word boundary; Chinese, Japanese, Korean, Arabic and Hindi ones need none.
"""

from __future__ import annotations

import re


def _any(words: str, unbounded: str = "") -> str:
    bounded = rf"\b(?:{words})\b"
    # Most text is ASCII: the lookahead skips the unbounded words at once.
    return rf"(?:{bounded}|(?=[^\x00-\x7f])(?:{unbounded}))" if unbounded else bounded


_ANSWER = _any(
    r"answers?|réponses?|reponses?|respuestas?|respostas?|risposta|risposte|antwort(?:en)?|lösung|antwoord|svar|odpowiedź|odpověď|răspunsul"
    r"|cevap|jawaban(?:nya)?|đáp án|ответ|απάντηση",
    "答案|答え|正解|解答|정답|답|الإجابة|الاجابة|الجواب|उत्तर",
)
_OPTION = _any(
    r"options?|choices?|alternatives?|letters?|opción|opciones|opcion|opção|opções|opzione|opzioni|propositions?|lettre|letra|lettera"
    r"|möglichkeit|auswahl|buchstabe|optie|вариант|seçenek|pilihan",
    "选项|選項|選択肢|보기|الخيار|الاختيار|विकल्प",
)
_GOOD = _any(
    r"correct[aeo]?s?|right|best|final|true|bonn?e?|juste|exacte?|vraie?|certa|giust[ao]|corrett[ao]|richtige?[rns]?|beste|korrekte?"
    r"|juiste|rätt|poprawn[ae]|doğru|benar|правильный|верный",
    "正确|正確|最佳|最终|맞|الصحيحة|الصحيح|सही",
)
_IS = (
    r"(?:[\"'”]? ?[:=>\-–—]|"
    + _any(
        r"is|are|be|was|(?:seems|appears|turns out) to be"
        r"|(?:would|should|must|will|has to|have to) be|est|sont|(?:doit|devrait) être|serait|es|son|sería|será|debe ser|é|são"
        r"|seria|deve ser|è|sono|ist|sind|lautet|wäre|muss|jest|to|är|adalah|là|это|είναι",
        "应该是|应该为|应当是|應該是|就是|应为|應為|应选|應選|选择|選擇|是|为|為|选|選|は|이|은|는|هي|هو|है",
    )
    + r"|'s\b|’s\b)"
)
_FILLER = (
    r"(?:[:,：] ?|"
    + _any(
        r"the|my|our|an?(?= (?:letter|option|choice)\b)|clearly|definitely|therefore|thus|most likely|likely|probably|indeed|actually"
        r"|simply|clear|i think|i believe|that of|only|both|either|then|is|it is|it's|all of"
        r"|la|le|les|el|los|il|lo|l|a(?= (?:letra|opção|alternativa)\b)|die|der|das|den|de|het|clairement|claramente|eindeutig|donc|also"
        r"|entweder|soit|sein|être|denn",
        "应该|應該|是|为|為|选择|選擇|选|選|：",
    )
    + rf"|{_OPTION}|{_GOOD}|{_ANSWER})"
)
FILLERS = rf"(?:[ \n]?{_FILLER}){{0,8}}[ \n]?"

# "the correct answer to the riddle is: option", "la respuesta correcta es la", "正确答案是", "<answer>"; the answer itself follows.
STATED = re.compile(
    rf"(?i)(?<!/)(?:{_ANSWER}|{_OPTION})(?: ?{_GOOD}| ?{_OPTION}){{0,2}}(?: (?:to|of|for|in|à|zu|auf|de|a)\b[^.\n:=?!]{{0,60}}?)?"
    rf"(?:[ \n]?(?P<no>n['’]|(?:no|não|non) )?{_IS}| (?P<nt>(?:is|are|was)n['’]t|(?:cannot|can['’]t|could not|couldn['’]t) be)\b"
    rf"|[.]?\n){FILLERS}|\bans(?:\. ?[:=-]?| ?[:=-]){FILLERS}"
)
# "I choose", "let's go with", "je choisis", "wähle", "选"
CHOSEN = re.compile(
    r"(?i)"
    + _any(
        r"(?:i(?:'d| would| will|'ll|’d|’ll)?|we|let's|let us|to|and) (?:choose|pick|select|go with|go for|settle on)|je choisis"
        r"|choisissons"
        r"|choisis|elijo|elegimos|escojo|escolho|scelgo|(?:ich )?wähle|ik kies|выбираю",
        "(?:我|题|題|故|应|應|因此|所以|，)(?:选择|選擇|选|選)",
    )
    + FILLERS
)
_THE_ONE = "the (?:only )?(?:right|correct|true|false|incorrect|untrue|odd|remaining) (?:one|statement|sentence|claim)(?: out)? is "
# "therefore I think it's", "so we get", "donc c'est", "因此是"
CONCLUDED = re.compile(
    r"(?i)(?:(?:=>|"
    + _any(
        r"therefore|thus|hence|consequently|so|in conclusion|donc|ainsi|daher|deshalb|folglich|somit|por (?:lo )?tanto|portanto"
        r"|quindi|dunque"
        r"|поэтому|следовательно",
        "因此|所以|故|综上|よって|したがって|따라서|→|⇒|∴|لذا|لذلك",
    )
    + r")(?: ?, ?| )?(?:(?:i|we) (?:would )?(?:think|believe|say|conclude|get|choose|pick)(?: that)? |je pense que |creo que "
    + r"|ich denke,? )?"
    + r"(?:it(?:'s|’s| is| must be| has to be| should be) |c['’]est |ce doit être |es ist |es |é |è |是"
    + rf"|{_THE_ONE})?|"
    + r"\b(?:it|this|that)(?:'s|’s| is| must be| has to be) |\bc['’]est "
    + r"|\b(?:this|that|which) leaves (?:us )?(?:with )?|(?:, |and )leaving (?:us )?(?:with )?|\bleft with "
    + r"|\b(?:i|we)(?:'d|’d| would) (?:say|guess) "
    + rf"|\b{_THE_ONE})"
    + FILLERS
)
# After a letter: "is the correct answer", "est la bonne réponse", "是正确的", "が正解"
CONFIRMED = re.compile(
    rf"(?i) ?(?:{_OPTION} ?)?(?:{_IS}|が|가)? ?(?:(?:clearly|definitely|therefore|thus|also|both|all) )?(?:(?:the|la|le|die|el|il|a|o) )?"
    rf"(?:only |most )?(?:{_GOOD}|{_ANSWER}|对的|對的)| ?(?:alone )?remains\b"
    r"| ?is (?:the only (?:one|option|choice|possibility) )?(?:left|remaining)\b"
    r"| ?(?:fits|works|matches|suits|is) (?:much |far |clearly |even )?better\b| ?(?:fits|works|matches|suits) (?:the )?best\b"
)
# After a letter whose statement is wrong, where the question asks for that: "B is incorrect, which makes it the correct choice"
SOUGHT = re.compile(rf"(?i)[^.\n]{{0,40}}?,? (?:which makes|making) (?:it|this) (?:the |our )?{_GOOD} (?:{_OPTION}|{_ANSWER})")
# Of a letter that would be right under other conditions: "C would be correct for dogs"
SUPPOSED = re.compile(r"(?i)\bwould (?:only )?be\b[^.\n]{0,80}?\b(?:if|had|were|unless|only|for(?! th)|in (?:case|that case))\b")
TRUE = re.compile(r"(?i) ?(?:is|are) (?:also |clearly )?(?:true|vraie?)\b")
NAMED = re.compile(rf"(?i)(?:{_OPTION}|{_ANSWER}) ?")  # "option B"; the letter follows

AND = re.compile(
    r"(?i)(?:, ?|、|; ?)(?:(?:and|et|und|y|e|och|en|и) )?| ?(?:&|\+|和|与|與|及|と|와|과|و) ?| (?:and|et|und|y|och|en|и) (?:also )?"
)
OR = re.compile(
    r"(?i)(?:,)? (?:or|ou|oder|o|ou bien|of|eller|или|and/or|vs\.?) (?:maybe |perhaps |possibly )?| ?(?:/|\||或者|或|か|또는|أو) ?"
)

# Directly before "the answer is" or a letter, which is then denied or supposed.
DENIED = re.compile(
    r"(?i)(?:(?:\bnot|\bneither|\bnor|\bnone of|n't|n’t|\bnever|\bcannot|\bwithout|\bexcept|\bexcludes?|\bexcluding|\beliminat(?:e|es"
    r"|ed|ing)|\brul(?:e|es|ed|ing) out"
    r"|\brejects?|\brejecting|\bdiscards?|\brather than|\binstead of|\bunlike|\bpas|\bnon|\bni|\bnicht|\bkeine?|\bno(?: es)?|\bnão|\bniet"
    r"|\bne|не|不是|不选|不選|并非|非|排除|而不是|ليست|ليس)"
    r"(?: (?:think|believe|say|mean|be|the case|true|sure|certain|clear|know|believed|also|even|both|either))?"
    r"|\bwrong|\bincorrect|\bfalse|\bfalsche?|\bfausse|\bmauvaise|\bincorrecta|\berrónea|错误|\bsecond|\bnext|\btempting|\bother|\banother"
    r"|(?<!\bi )(?<!\bwe )\b(?:might|may|could|would) (?:think|say|guess|assume|expect|believe|suppose|conclude"
    r"|be tempted to (?:think|say))|\btempt(?:ed|ing) to (?:think|say|choose|pick|answer|conclude)"
    r"|\b(?:people|students|readers|others|they) (?:think|say|believe|assume)"
    r"|\bif|\bwhether|\bsuppos(?:e|ing)|\bassum(?:e|ing)|\bwenn|\bsi|如果|若|假设)"
    r"(?: (?:that|of|whether|if))?(?: (?:the|this|la|le|die|el|an?))?(?: (?:correct|right|best|final))?[ ]?$"
)
_LIGHTLY = "(?:all|both|also|clearly|safely|easily|immediately|quickly|therefore|thus|then|now|each|already)"
_STRUCK = "(?:eliminated|ruled out|excluded|discarded|dismissed|rejected|crossed (?:out|off)|struck (?:out|off)|disregarded|ignored)"
# Directly after a letter, which is then denied.
REFUTED = re.compile(
    r"(?i) ?(?:(?:is|are|was|can|could|does|do|would)(?:n't|n’t| not|not\b)|(?:is|are|was|est|sont|ist|sind|es|son|é|è)(?: also"
    r"| clearly| thus)? (?:wrong|incorrect|false|out\b|impossible|implausible|eliminated|excluded|ruled out|fausse?|falsch|nicht|pas"
    r"|incorrect[ao]|errad[ao])"
    rf"|(?:can|could|may|should|must)(?: {_LIGHTLY})? be(?: {_LIGHTLY})? {_STRUCK}|(?:is|are)(?: {_LIGHTLY}){{0,2}}"
    rf" (?:{_STRUCK}|tempting|unlikely|irrelevant|distractors?|a distractor|a trap|too [a-z]+)|(?:fails?|contradicts?|violates?)\b"
    r"|n['’]est pas|no es|não é|(?:选项)?(?:是)?(?:不|错)|では(?:な|あり)|じゃな|(?:가|이) 아니|가 틀|خاطئ)"
)
# After a denied letter, before the one that is meant. "not A but B", "sondern B", "A가 아니라 B"
INSTEAD = re.compile(
    r"(?i)(?:,)? ?(?:but(?: rather| it's| it is)?|sondern|sino|mais|but instead|而是|ではなく|가 아니라|이 아니라|а)(?: |(?<![a-z]))"
    + FILLERS
)
NOT = re.compile(r"(?i)(?:not|nicht|pas|no|non|não|niet|не|不是|not the|definitely not|clearly not) ")
# Words that may follow a chosen letter: "A because it barks", where "A dog" is an article.
CONNECTIVE = re.compile(
    r"(?i) ?(?:because|since|as|and|or|but|not|rather|instead|which|is|are|was|for|given|due|with|in|by|based|from|per|over"
    r"|should|must|remains"
    r"|mais|sino|sondern|parce|car|puisque|et|ou|non|pas|weil|da|denn|und|oder|nicht|ist|porque|ya|y|o|no|es|perché|poiché|e|é|è|est"
    r"|i think|i believe|потому|так)(?![A-Za-z])"
)
BECAUSE = re.compile(
    r"(?i)[, ]{0,2}(?:because|since|as|not|rather|instead|and not|parce|car|non|weil|da|denn|porque|ya que|no|perché|因为|であ|です|だ|입)"
)
