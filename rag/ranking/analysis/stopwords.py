"""Words so common in their language that they rank nothing, cost a search the most, and tell which
language it is."""

from collections.abc import Mapping

_LISTS = {
    "en": """
        a about above after again all also am an and any are as at be because been before being
        below between both but by can could did do does doing down during each few for from further
        had has have having he her here hers him his how i if in into is it its itself just me more
        most my no nor not now of off on once only or other our ours out over own same she should
        so some such than that the their theirs them then there these they this those through to
        too under until up very was we were what when where which while who whom why will with
        would you your yours
    """,
    "de": """
        aber alle als also am an auch auf aus bei beim bis da damit dann das dass dem den denn der
        des die dies diese diesem diesen dieser dieses doch dort durch ein eine einem einen einer
        eines er es für gegen hat hatte hatten haben hier ich ihm ihn ihnen ihr ihre ihrem ihren
        ihrer im in ist ja kann können kein keine man mehr mit nach nicht noch nur ob oder ohne
        sehr sein seine seinem seinen seiner sich sie sind so über um und uns unter vom von vor war
        waren was welche welchem welchen welcher welches wenn wer werden wie wieviele wieder wir
        wird wo wofür woher wohin womit worin wurde wurden zu zum zur zwischen wann warum wen wem
    """,
    "fr": """
        à au aux avec c ce ces cet cette ceux comme d dans de des donc dont du elle elles en entre
        est et étaient était être eu il ils j je l la le les leur leurs lui m mais même mes moi mon
        n ne nos notre nous on ont ou où par pas plus pour qu quand que quel quelle quelles quels
        qui quoi s sa sans se ses si son sont sur t te tes ton tu un une vos votre vous y a été fut
        combien comment pourquoi ont cela avait aussi
    """,
    "es": """
        a al algo ante como con cuál cuáles cuando cuándo cuánta cuántas cuánto cuántos de del
        desde donde dónde durante e el él ella ellas ellos en entre era eran es esa ese eso esta
        está están estas este esto estos fue fueron ha había han hasta hay la las le les lo los más
        me mi muy ni no nos o para pero por porque qué que quién quiénes se ser si sí sin sobre son
        su sus también tiene tienen tras tu u un una uno unos unas y ya cómo qu
    """,
    "pt": """
        a ao aos aquela aquele às as até com como da das de dela dele deles do dos e é ela elas ele
        eles em entre era eram essa esse esta está estão este eu foi foram há isso isto já lhe mais
        mas me mesmo meu minha muito na não nas nem no nos nós nossa nosso num numa o onde os ou
        para pela pelas pelo pelos por porque qual quais quando quanto quantos que quem são se sem
        ser seu seus sua suas só também tem têm um uma você à foi
    """,
    "it": """
        a ad ai al alla alle allo anche c che chi ci come con cosa cui da dagli dai dal dalla dalle
        degli dei del dell della delle dello di dove e è ed era erano essere fu furono gli ha hanno
        i il in io l la le lei lo loro lui ma mi nei nel nell nella nelle nello non o per perché
        più può quale quali quando quanti quanto quello questa queste questi questo se si sono sua
        sue sui sul sulla sulle suo suoi tra tutti un una uno gli d
    """,
    "nl": """
        aan al als bij dan dat de deze die dit door een en er geen haar had heb hebben heeft hem
        het hij hoe hoeveel hun ik in is kan kon kunnen maar meer men met mij na naar niet nog nu
        of om onder ook op over te tegen toen tot tussen uit van veel voor waar waarom wanneer
        waren was wat we wel welk welke werd werden wie wij wordt worden ze zich zij zijn zo zou
        zonder
    """,
    "sv": """
        alla att av blev bli blir de dem den denna deras dess det detta dig din du där då efter
        eller en ett från för genom ha hade han hans har hon hur här i in inte jag kan kunde man
        med mellan men mer mot mycket ni nu när någon något några och om oss på samma sedan sig sin
        sina sitt ska skulle som så till under upp ut utan vad var vara varför varit vem vi vid
        vilka vilken vilket är över än
    """,
    "da": """
        af alle at blev blive bliver da de dem den denne der deres det dette dig din dog du efter
        eller en end er et for fra før ham han hans har havde hende hendes her hun hvad hvem hver
        hvilke hvilken hvilket hvis hvor hvorfor hvordan hvornår i ikke ind jeg kan kun kunne man
        med meget mellem men mere mod må ned nogen noget nu når og også om op os over på sig sin
        skal skulle som sådan til ud under var ved vi vil ville være været
    """,
    "no": """
        alle at av ble bli blir da de dem den denne der deres det dette du eller en enn er et
        etter for fra før han hans har hadde henne hennes her hun hva hvem hver hvilke hvilken
        hvilket hvor hvordan hvorfor hvis i ikke inn jeg kan kunne man med mellom men mer mot mye
        noe noen nå når og også om opp oss over på seg sin skal skulle slik som så til ut under
        var ved vi vil ville være vært ei
    """,
    "fi": """
        ei eikä eivät että hän hänen he heidän ja jo joka jonka jossa jota jotka kanssa kuin kuinka
        kuka kun kuten me mikä millä milloin minkä minä missä mitä mitkä mukaan mutta mutta myös ne
        niiden niin nyt oli olisi olivat olla olleet ollut on ovat poikki se sen sekä siellä sillä
        sitä tai tämä tämän tässä tätä vaan vai vain vielä voi voidaan
    """,
    "hu": """
        a az aki akik amely amelyek amelyet ami amikor be belül csak de e egy egyik el ez ezek ezt
        fel ha hány hogy hogyan hol is itt ki kell le lehet lett már meg melyik melyek mely mert
        mi miért mik mikor mint milyen mit még nagy nem ő ők össze pedig s sem szerint több után
        vagy van vannak való volt voltak azt között által
    """,
    "ro": """
        a ai al ale am ar are aceasta această acest acesta acestor au ca când care cât câte câți
        ce cea cei cel cele cine cu cum da dar de deci decât despre din după ea ei el ele era erau
        este eu fi fie fost în îi își la le lor lui mai mult ne nu o ori pe pentru prin s sa sale
        sau se și sunt său sub ta un una unde unei unor unui va vor între ce că într ul căror
    """,
    "tr": """
        acaba ama ancak az bana bazı ben beni benim bir biri birçok biz bu buna bunda bundan bunlar
        bunu bunun çok çünkü da daha de defa değil diye en gibi göre hangi hangisi hem hep her hiç
        için ile ise kaç kadar karşı ki kim kimin mı mi mu mü nasıl ne neden nedir nerede nereye
        niçin niye o olan olarak oldu olduğu olması on ona onlar onu onun onların sonra siz şey şu
        tarafından tüm ve veya ya yani vardır var
    """,
    "pl": """
        a ale albo aby był była było były być ci co czy dla do gdy gdzie go i ich ile im innych iż
        ja jak jaka jaki jakie jako je jego jej jest jeśli już każdy kiedy kim kto która które
        którego której który których którym którzy lub ma mają mi może można na nad nie nich nim
        niż o od on ona one oni oraz po pod podczas ponieważ przed przez przy są się tak także tam
        te tego tej ten to tu tych tylko tym w we więc wszystkie z za ze że został została
    """,
    "cs": """
        a aby ale ani ano až bez byl byla byli bylo být co což do i jak jaká jaké jaký jako je jeho
        jej její jejich jen jeho ještě ji jich jsem jsou již k kde kdo kdy kolik která které
        kterého který kteří ku ma má mezi mi mohou může na nad ne nebo není než o od on po pod podle
        pro proč protože před při s se si tak také tam ten této tím to tu tuto ty u v ve více však
        z za ze že
    """,
    "ca": """
        a al als amb aquest aquesta aquestes aquests com d de del dels des el ella els en entre era
        eren es és està fins foren fou ha han hi i l la les li ls m més molt n ni no o on pel pels
        per perquè però qual quals quan quant quants que què qui s sense ser si seu seus seva seves
        són sobre també té tot un una uns va van
    """,
    "id": """
        ada adalah akan antara apa apakah atau bagaimana bagi bahwa banyak berapa bisa dalam dan
        dapat dari dengan di dia ini itu jika juga kami kapan karena kata ke kepada kita lebih
        maka mana mengapa mereka oleh orang pada para saat sangat saya sebagai sebuah secara sejak
        seperti serta setelah siapa sudah telah tersebut tidak untuk yang
    """,
    "vi": """
        bao bị bởi các cái cho chỉ có còn của cùng cũng đã đang đây để đến đều điều do đó được gì
        hay hoặc hơn khi không là lại lên mà mỗi một này nào nên nếu nhiều nhưng những như ở phải
        qua ra rằng rất sau sẽ tại theo thì trên trong trước từ và vào về vì với
    """,
    "ru": """
        а без бы был была были было быть в вам вас весь во вот все всего всех вы где да для до его
        ее если есть еще же за и из или им их к как какая какие каких какого какое какой каком
        когда кого который которая которого которое которой которые которых кто ли между меня мне
        много может мы на над не него нее нет ни них но о об один он она они оно от очень по под
        почему при с сколько со так такой также там то того тоже той только том ты у уже чего чем
        что чтобы эта эти это этого этой этот я
    """,
    "uk": """
        а або але бути був була були було в вже ви від він вона вони воно все всі де для до є за з
        зі і й із її його її їх їхні як яка яке які якій який яких якого коли кого кому ми між на
        над не ні ніж о один під по при про та так також там те ти тих то того тому тільки у хто це
        цей ця ці цього чи чого чому що щоб скільки
    """,
    "el": """
        αν από αυτά αυτές αυτή αυτό αυτοί αυτός αυτού για δεν είναι είχαν είχε εκείνη ένα έναν ένας
        έχει έχουν ή η ήταν θα και κατά με μετά μη μην μία μια μιας να ο οι όμως όπου όπως όταν ότι
        ου πιο ποια ποιά ποιες ποιο ποιοι ποιον ποιος ποιός που πού πόσα πόσες πόσο πότε προς πως
        πώς σαν σε στα στη στην στις στο στον στου στους στων τα τη την της τι τις το τον του τους
        των τών ως
    """,
    "ar": """
        أن أو أي أين إذا إلا إلى إن الذي الذين التي أنه أنها بعد بين تلك ثم حتى حول حيث خلال ذلك
        عن عند على عليه عليها غير في فيه فيها قبل قد كان كانت كل كم كما كيف لا لدى لكن لم لماذا لن
        له لها ليس ما ماذا متى مثل مع من منذ منه منها هذا هذه هل هم هناك هو هي و وفي وقد وكان ولا
        وهو وهي يكون
    """,
    "fa": """
        از آن است اما او این با باید بر برای بسیار بود بودند به بین تا تواند چند چه چرا چون خود در
        دارد دارند داشت را روی شد شدند شده شود کجا کدام کرد کردند کرده کند که کی ما مورد می نیز
        نیست ها هر هم همه های و وی یا یک
    """,
    "hi": """
        अपना अपनी अपने इन इस इसका इसकी इसके उन उनका उनकी उनके उस उसका उसकी उसके एक और कब कर करता
        करते करना करने का कि कितना कितनी कितने किन किस किसका किसके किसने किसी की कुछ के को कोई कौन
        कौनसा क्या क्यों गई गए गया जब जा जाता जैसे जो तक तथा तो था थी थे दिया दो द्वारा न नहीं ने पर
        भी में यह या ये रहा रही रहे लिए वह वाला वाले वे से हुआ हुई हुए है हैं हो होता होती होते होने
        कहाँ
    """,
}

STOP_WORDS: Mapping[str, frozenset[str]] = {
    language: frozenset(listed.split()) for language, listed in _LISTS.items()
}
"""By language, in lower case, as they are written."""
