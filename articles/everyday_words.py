"""Words that say little about which event a text is about. Pure.

`EMPTY` words carry nothing. `EVERYDAY` words stand in much of any day's news; `COLUMN` words head
columns and series. A desk that has read little yet can't count that by itself: `articles.cluster`
takes the shares named here as what it would have counted.
"""

EMPTY: dict[str, frozenset[str]] = {
    language: frozenset(words.split())
    for language, words in {
        "en": """
a about above across after again against all almost along already also although always am among an
and another any anyone anything are aren't around as at away back be became because become been
before behind being below between both but by came can can't cannot could couldn't did didn't do
does doesn't doing don't done down during each either else enough even ever every everyone
everything far few for from further get gets getting give given gives go goes going gone got had
has hasn't have haven't having he he's her here hers herself him himself his how however i i'm if
in including indeed instead into is isn't it it's its itself just keep kept last least less let
let's like likely made make makes making many may maybe me meanwhile might more most much must my
myself near nearly need never next no nor not nothing now of off often on once one only onto or
other others our out over own part perhaps put quite rather really same see seen several she she's
should since so some someone something soon still such take taken takes taking than that that's the
their them themselves then there there's these they they're this those though through thus to
together too took toward towards under until up upon us very via was wasn't way we we're well went
were weren't what what's when where whether which while who who's whole whom whose why will with
within without won't would wouldn't yet you you're your yours
""",
        "de": """
ab aber alle allem allen aller alles als also am an ander andere anderem anderen anderer anderes
auch auf aus außer bei beide beim bereits bin bis bist bleibt da dabei dadurch dafür dagegen daher
damit danach dann daran darauf darin darüber das dass dazu dein dem den denn dennoch der deren des
deshalb dessen die dies diese diesem diesen dieser dieses doch dort du durch ein eine einem einen
einer eines einige einmal er erst erste ersten es etwa etwas euch euer für gab ganz gegen gegenüber
geht gibt habe haben hat hatte hatten hier hin hinter ich ihm ihn ihnen ihr ihre ihrem ihren ihrer
im immer in indem innerhalb ins ist ja je jede jedem jeden jeder jedes jedoch jene jetzt kam kann
kein keine keinem keinen keiner können könnte könnten laut machen macht man mehr mein mit mitte
muss musste müssen nach nachdem nahe neben nicht nichts noch nun nur ob oder ohne schon sehr sei
seien sein seine seinem seinen seiner seines seit selbst sich sie sind so sogar soll sollen sollte
sollten somit sondern sonst sowie über überhaupt um und uns unser unter viel viele vielen vom von
vor während wäre war waren warum was weder weil weiter weitere weiteren welche wenig weniger wenn
wer werde werden wie wieder will wir wird wo wohl wollen wollte worden wurde wurden würde würden
zu zum zur zwar zwischen
""",
        "es": """
a ahora al algo alguien algún alguna algunas algunos allí ante antes aquel aquella aquí así aún
aunque bajo bien cada casi como cómo con contra cual cuales cualquier cuando cuanto de debe deben
decir del desde después donde dos durante e el él ella ellas ellos en entonces entre era eran es
esa esas ese eso esos esta está estaba estado están estar estas este esto estos fue fueron ha haber
había habían hace hacen hacer hacia han hasta hay he hecho hizo hoy incluso la las le les lo los
luego más me mediante menos mi mientras mis mismo misma mucho muchos muy nada ni no nos nosotros
nuestra nuestro o os otra otras otro otros para pero poco por porque pudo puede pueden pues que qué
quien quién quienes se sea según ser si sí sido siempre sin sino sobre solo sólo son su sus suya
también tampoco tan tanto te tendrá tendrán tener tenía tiene tienen toda todas todavía todo todos
tras tu tuvo tú un una unas uno unos va van vez y ya yo
""",
        "fr": """
a à afin ai ainsi alors après au aucun aucune aujourd'hui auprès aussi autre autres aux avaient
avait avant avec avoir beaucoup bien c'est car ce cela celle celles celui cependant ces cet cette
ceux chaque chez comme comment contre d'un d'une dans de déjà depuis des deux devant doit donc dont
du durant elle elles en encore entre est et était étaient été être eux fait faire fois font fut il
ils je jusqu'à l'on la là le les leur leurs lors lui ma mais me même mes moins mon ne ni non nos
notre nous on ont ou où par parce pas pendant peu peut peuvent plus plusieurs pour pourrait
pourquoi près qu'il qu'elle qu'ils quand que quel quelle quelques qui quoi sa sans se selon sera
serait ses si son sont sous sur ta tandis tant tes toujours tous tout toute toutes très trois tu un
une va vers vont vos votre vous y
""",
        "it": """
a ad agli ai al alla alle allo anche ancora anni appena aveva avere c'è che chi ci come con contro
cosa così cui da dagli dai dal dalla dalle dallo degli dei del della delle dello di dopo dove due e
è ed era essere fa fatto fino fra già gli ha hanno i il in invece io l'ha la le lei lo loro lui ma
mentre molto ne nei nel nella nelle nello no noi non nostro o ogni ora per perché più poi prima
quale quando quanto quattro quella quelle quelli quello questa queste questi questo qui se secondo
sempre senza sia si sono sta stata stati stato su sua sue sugli sui sul sulla sulle suo suoi tra
tre tutta tutti tutto un una uno va verso vi
""",
        "pt": """
a à ainda além ao aos após aquela aquele as às até cada com como contra da das de dele dela depois
desde disse do dois dos durante e é ela elas ele eles em enquanto entre era eram essa esse esta
está estava estão este foi foram há isso isto já lhe mais mas mesmo meu muito muitos na nas nem no
nos nós não num numa o onde os ou para pela pelas pelo pelos pode por porque quando que quem se sem
segundo sem ser será seu seus sobre sua suas são só também tem têm ter teve toda todas todo todos
três um uma vai você
""",
        "nl": """
aan al alle als altijd andere ben bij daar dan dat de der deze die dit doch doen door dus een eens
en er ge geen geweest haar had heb hebben heeft hem het hier hij hoe hun iemand iets ik in is ja je
kan kon kunnen maar me meer men met mij mijn moet na naar niet niets nog nu of om omdat ondanks ons
ook op over reeds te tegen toch toen tot u uit uw van veel voor want waren was wat we werd wezen
wie wij wil worden wordt zal ze zei zelf zich zij zijn zo zonder zou
""",
    }.items()
}

_EVERYDAY = """
accord according account accuse act action add agency agree agreement ahead aim allow amid announce
announced announcement appear april area argue arrest ask attack attempt august authorities
authority available average ban bank base begin believe big bill billion black board body book boss
break bring building business buy call campaign car care carry case cause center central centre
century chair chairman chance change charge chief child children city claim claims clear close club
come comment commission committee community company compare condition conference confirm consider
continue control cost council countries country county couple court create crime crisis current
cut daily damage data date day days deal death debate december decide decision deep defence defense
delay deliver demand department deputy despite detail details develop die dies died dead difficult
director discuss district doctor dollar double draw drive drop dozens early earlier east eastern
economic economy effect effort eight eighth eleven emergency employee end energy enter entire error
estimate euro evening event evidence exchange executive expect expected expert explain face fact
fail fall family father february federal feel fell field fifth fight figure file final finance
financial find fire firm first five focus follow following force foreign form former forward found
four fourth free friday friends front full fund future game general global gold good government
great green ground group grow growth guard guess half hand happen hard head health hear heavy held
help high higher history hit hold home hope hospital host hot hour hours house houses huge human
hundred hundreds hurt idea impact import important improve incident include increase independent
industry information injured injury inside insist inquiry interest international investigate
investigation investigators investment investor involve issue january job join judge july june key
kill killed killing kind know known land large largest late later latest launch law lawmaker lawyer
lead leader leaders league learn leave left legal level life light limit line list little live lives
local long longer look lose loss lost lot low lower main major majority male man manager march
mark market markets match mayor mean measure media medical meet meeting member members men message
midnight mile miles military million minister ministers ministry minute minutes miss missing moment
monday money month monthly months morning mother move movement murder name nation national nations
nearby nearby negotiation network new news night nine north northern note november number numbers
october offer offered office officer officers official officials oil old open operate operation
opposition order organisation organization outside overnight owner page paid parent parliament
partner party pass past patient pay peace people per percent percentage period person phone photo
picture place plan plane planned plans plant play player police policy political politician
politics pool poor population position positive possible post pound power present president press
pressure prevent previous price prices prime prison private probe problem process produce product
production profit program programme project prosecutor protect protest prove provide public
publish pull push quarter question quick quickly race raise range rate rates reach read ready real
reason receive recent recently record red reduce region regional release remain remove repair reply
report reported reportedly reporter reports represent request require rescue research resident
residents resign response responsible rest result results return reveal review right rights rise
rising risk road role room round rule rules run russia safe safety sale sales saturday save say
saying says said school science scientist score season second secretary section security seek seem
sell senate senior sentence september series serious serve service services session set seven
seventh share shares shoot short show shows shut side sign similar single site situation six sixth
size small social society source south southern speak special speech spend spokesman spokesperson
spokeswoman spread spring staff stage stand star start state statement states station stay step
stock stop storm story street strike strong student study suffer suggest summer sunday supply
support supporter surge surprise survey suspect suspected system talk talks target tax team tell
ten term test thing think third thousand thousands threat three thursday time times today told
tonight top total town trade traffic train transport travel treat treatment trial trip trouble true
try tuesday turn twelve twenty two try union united university update urge use value vehicle
victim victims victory village visit voice vote voter wage wait walk wall want war warn warning
warns watch water week weekend weeks weeks welcome west western white win wind winner winter woman
women wednesday won word work worker workers working world worry worst worth write wrong year years
yesterday young
abend acht aktuell allein alt alten anfang angaben angeblich angriff anklage antrag april arbeit
arbeiten art arzt august ausland autor bahn bank bau bedeutet beginn beginnen behörde behörden
bekannt bericht berichten berichtet berichtete besonders besser bestätigt bestätigte betrieb
betroffen bevölkerung bild bisher bisherige bleiben brand brauchen bringen bund bundesregierung
bürger bürgermeister chef cent damals daten deutlich deutsch deutsche deutschen deutschland
dezember dienstag dollar donnerstag dorf drei dreizehn dritte druck eigene einsatz ende endlich
entscheidung entwicklung erfolg ergebnis erhalten erklärt erklärte ermittler ermittlungen erneut
ersten erwartet euro europa fahrer fall familie februar fehlt feuer feuerwehr finden firma folgen
folgt fordern fordert forderte frage frau frauen frei freitag frühjahr fünf geben gefahr gefunden
gehen geld gemeinde gericht gesagt geschichte gesellschaft gesetz gestern gestorben gewann
gewinnen groß große großen großer grund gruppe gut halb halten hand haus hauptstadt heißt helfen
herbst heute hilfe hoch hohe hohen höhe hundert insgesamt jahr jahre jahren jahres januar juli
jung junge juni kinder klar kommen kommt konzern kosten kraft krankenhaus kreis kritik kunden
lage land lande lange lassen leben leicht letzte letzten leute liegt lösung mai männer mann
maßnahmen markt märz meinung meldung menschen meter millionen milliarden minister ministerium
minuten mitarbeiter mitteilung mitteilte mitglieder mittag mittwoch möglich monat monate monaten
montag morgen mutter nacht namen neu neue neuen neuer neues neun november oberbürgermeister
oktober opfer opposition ort partei personen plan plant planen platz platzen polizei präsident
preis preise problem prozent punkt punkte rat recht rechte regierung region richter rund sache
sagen sagt sagte samstag schaden schäden schlecht schließen schnell schule schüler schwer schwere
sechs september sicher sicherheit sieben sieg sitzung sommer sonntag spiel spieler sprecher
sprecherin staat staatsanwaltschaft stadt starb stark starke steht steigen steigt stelle stellen
strafe straße streit stunden süden tag tage tagen täter tausend teil teilte thema tod tot tote
toten tötete trainer treffen über unbekannt unfall unternehmen ursache urteil vater verband
verbot vereinigung verfahren vergangene vergangenen vergleich verletzt verletzte verletzten
verletzter verlor verlust vermutlich versuch vertrag verwaltung vier voraussichtlich vorjahr
vorstand vorwürfe wahl wähler wasser weg welt werk wichtig wichtige wirtschaft wissen woche wochen
wochenende wort zahl zehn zeigen zeigt zeit zeuge ziel zivil zukunft zunächst zusammen zuständig
zwei zweite zweiten
abril acuerdo actividad además agencia agosto agua alcalde alcaldesa alto anterior anunciar anunció
año años aumento autoridades ayer ayuda ayuntamiento bajo barrio caja calle cambio camino capital
cargo casa casi caso causa central centro ciento cierre cinco ciudad ciudadanos club comisión
comité comunidad condiciones confirmar confirmó congreso consejo contar control corte cosa crisis
cuatro cuenta cuerpo cumplir dar dato datos día días dice dicho diciembre dijo dinero director
distrito domingo economía ejército elecciones empresa empresas empleo encontrar enero entidad
equipo españa español estados estudio euros evitar explicar explicó falta familia febrero fecha
final fiscal fiscalía forma frente fuente fuentes fuerte fuerza fuerzas funcionario futuro ganar
ganó gente gobierno gran grande grandes grupo guerra guardia habitantes heridos historia hombre
hombres hora horas hospital importante incendio incluye información informar informe informó
interior internacional investigación investigar jefe joven jóvenes jornada jueves juez juicio julio
junio justicia kilómetros ley líder llegar llegó local lugar lunes madre madrugada mañana mano
mantener martes marzo mayo mayor mayoría media médico medida medidas medio mejor mercado mes meses
miércoles miembro miembros mil miles millones ministerio ministra ministro minuto minutos momento
muerte muerto muertos mujer mujeres mundo municipal municipio nacional nación niños noche nombre
norte noviembre nueva nuevas nuevo nuevos número obra obras octubre oficial oposición orden padre
país países palabra parlamento parte partido partidos pasado pasada paso paz pedir persona personas
peso plan plaza población policía política político portavoz posible precio precios presentar
presentó presidenta presidente primer primera primero principal problema proceso programa propuesta
próxima próximo proyecto pública público pueblo punto quedar querer realizar recibir región
registrar resto resultado reunión riesgo sábado salir salud sector seguir segunda segundo seguridad
seis semana semanas sentencia septiembre servicio servicios sesión siete siguiente sistema situación
social sur tarde temporada tiempo tierra total trabajadores trabajo tres tribunal última últimas
último últimos universidad usar uso vecinos vehículo vida viernes víctima víctimas violencia visita
votos zona zonas
accident affaire agent ancien ancienne annonce annoncé année années appel argent armée arrêté août
assemblée attaque aucune augmentation avril blessé blessés campagne cas centre chef cinq client
commission commune communiqué compte conseil cour cours crise dernier dernière dernières derniers
dimanche dirigeant début décembre décision département développement député député effet élection
élections emploi encore enfant enfants enquête entreprise entreprises environ état européen face
famille femme femmes fin force forces france français française février gouvernement grand grande
grands grave groupe guerre habitants haut heure heures histoire homme hommes hôpital janvier jeudi
jeune jeunes jour journée jours juge juillet juin justice lancé lieu ligne loi lundi maire mairie
maison mardi marché mars matin membre mercredi mesure mesures ministre ministère mise mois moment
monde mort morts municipal nombre nouveau nouveaux nouvelle nouvelles novembre nuit octobre ordre
parti partie pays personne personnes petit place plan point police policier politique population
porte possible pouvoir premier première président prix problème procès projet propos public
publique question région réforme rencontre résultat retour réunion risque route rue réseau saison
samedi santé semaine semaines septembre service services seul six situation société soir sécurité
temps total travail tribunal victime victimes vie ville vendredi voiture vote zone
"""
_COLUMN = """
advice agenda analysis article blog breaking briefing bulletin calendar cartoon chart column
commentary crossword dates diary digest editor editorial editors episode exclusive explained
explainer fact-check factbox fixtures forecast gallery guide headlines highlights horoscope
interview in-depth letters live liveblog lottery lotto magazine must-read newsletter newswrap
notebook notes obituaries obituary opinion photos photo pictures podcast podcasts poll preview
profile quiz quote quotes ratings readers recap recipe recipes review reviews rolling roundup
schedule scoreboard scores snapshot standings sudoku summary takeaways timeline tips top transcript
trivia tv update updated updates video videos viewpoint wrap wrap-up watchlist weather weekly
abendlage briefing blog börse börsenbericht fotos fotostrecke glosse horoskop interview kolumne
kommentar kreuzworträtsel leitartikel leserbriefe liveticker lottozahlen morgenlage nachruf
newsblog newsletter newsticker presseschau presseschau rückblick spielbericht spielplan tagebuch
tagesschau termine ticker überblick umfrage veranstaltungen video wetter wetterbericht
wochenrückblick
agenda análisis blog boletín cartelera columna crónica crucigrama directo editorial encuesta
entrevista especial fotos galería horóscopo lotería minuto necrológica necrológicas obituario
opinión podcast pronóstico receta resumen reseña sorteo titulares última vídeo
analyse chronique direct édito éditorial entretien horoscope météo nécrologie revue tribune
"""
EVERYDAY = frozenset(_EVERYDAY.split())
COLUMN = frozenset(_COLUMN.split())
