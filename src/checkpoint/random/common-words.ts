/** Words that prompts of MileBench are full of, the more frequent ones first. */
export const commonWords: readonly string[] = `
the of and a to in is that it was for on are with as I his they be at one have this from or had by not but some what
there we can out other were all your when up use word how said an each she which do their time if will way about many
then them would write like so these her long make thing see him two has look more day could go come did my sound no most
number who over know water than call first people may down side been now find any new work part take get place made live
where after back little only round man year came show every good me give our under name very through just form much great
think say help low line before turn cause same mean differ move right boy old too does tell sentence set three want air
well also play small end put home read hand port large spell add even land here must big high such follow act why ask men
change went light kind off need house picture try us again animal point mother world near build self earth father head
stand own page should country found answer school grow study still learn plant cover food sun four thought let keep eye
never last door between city tree cross since hard start might story saw far sea draw left late run while press close
night real life few stop open seem together next white children begin got walk example ease paper often always music
those both mark book letter until mile river car feet care second group carry took rain eat room friend began idea fish
mountain north once base hear horse cut sure watch color face wood main enough plain girl usual young ready above ever
red list though feel talk bird soon body dog family direct pose leave song measure state product black short class wind
question happen complete ship area half rock order fire south problem piece told knew pass farm top whole king size heard
best hour better true during hundred remember step early hold west ground interest reach fast five sing listen six table
travel less morning ten simple several toward war lay against pattern slow center love person money serve appear road map
science rule govern pull cold notice voice fall power town fine certain fly unit lead cry dark machine note wait plan
figure star box field rest correct able pound done beauty drive stood contain front teach week final gave green quick
develop sleep warm free minute strong special mind behind clear tail produce fact street inch lot nothing course stay
wheel full force blue object decide surface deep moon island foot yet busy test record boat common gold possible plane
age dry wonder laugh thousand ago ran check game shape yes hot miss brought heat snow bed bring sit perhaps fill east
weight language among image images frame frames video videos photo scene scenes picture pictures question questions answer
answers option options choice choices following sequence sequences context instruction caption captions describe
description choose select correct incorrect statement statements based given using information determine identify
different difference differences similar same object objects person persons people man woman action actions moving moved
movement direction before after happened happens happening first second third fourth fifth last next previous previously
current currently order ordered task tasks step steps goal navigation agent robot environment room rooms kitchen bedroom
bathroom floor wall walls window windows door doors table tables chair chairs cabinet drawer shelf counter sink fridge
microwave oven pan pot plate bowl cup mug bottle knife fork spoon egg apple bread tomato potato lettuce place put pick
picked take took taken open opened close closed turn turned hold holding left right top bottom middle center corner near
behind front above below inside outside background foreground red green blue yellow black white brown orange purple pink
gray color colors shape cylinder sphere cube metal rubber collide collision enter exit counterfactual predict prediction
number count many text word words document documents page pages slide slides table chart figure title paragraph article
news report wikipedia passage sentence sentences webpage screenshot website link button menu search product products
image-text retrieval match matching query candidate candidates visual relation relations reasoning understanding
temporal spatial state change changes detect localization needle haystack book recipe recipes ingredient ingredients
multi modal dialogue conversation user assistant human model system language vision able understand provide provides
variety natural helpful detailed polite curious artificial intelligence chat gives content assist please only single
letter without explanation respond response directly between which best fits appears shown shows showing visible likely
according example examples none both either whether because therefore however moment begin beginning during while until
camera view angle attribute scenario event events character characters storyboard cartoon story day night people street
building road car truck bus train bike motorcycle traffic sign dog cat horse bird animal animals tree grass sky water
beach boat ball player game sport field team player hand hands head face hair shirt dress hat glasses bag phone computer
laptop screen keyboard camera light lamp bed sofa blanket pillow towel paper box clothes wearing sitting standing walking
running jumping eating drinking cooking cutting reading writing playing talking smiling looking watching riding driving
`
  .trim()
  .split(/\s+/);

/** Beginnings and ends that other words are made of. */
export const wordParts: readonly string[] = `
ing tion ment ness able ible er est ed ly es ous ive al ity ence ance ful less ation ations ions ers ings ments ary ory
ism ist ists ize ized izes izing ise ised ific ical ally ably ent ant ents ants ial ian ians ular ulation ology ological
graph graphy gram metric meter phone scope ward wards wise ship hood dom ure ures age ages ade ate ated ates ating ator
ators ative ish esque ette let kin ery ries ies ied ier iest th en ens ener ener ined ine ines ink int ick ack ock uck
ight ought ound ould ouse ome one ore own ong ung ang ong ead eak eal eam ear eat eed eek eel een eep eer eet ice ide ile
pre con com inter trans sub super over under out up down mis dis un re de in im en em ex per pro por post anti auto bio
co counter fore hyper mid micro mini mono multi non para poly semi sur tele tri uni vice com comp cont conf conc cons
cond conv exp ext ext exc exam imp imm inc ind inf ins inv int disc disp dist dec def del dem des det dev perf pers prod
prof proj prot prov rec red ref rel rem rep res ret rev sec sel sens ser ses sign sim soc sol spec sta ste sto str stra
stre stri stru sub suc sup sur sym syn sys tem ten ter the tra tre tri tro val var ver vis vol form port struct tract
duct dict ject press pect scribe spect tain ten tend vert vent vers viron govern mater mental natur nation ration sider
special cial cious tious tive tivity tity ture tures sion sions ssion ssed ssing lect lected lection lish lished mit mits
mitt mission nounce ound pend plete ploy point pose posed position quence quent quire quired rect rected rection rupt
`
  .trim()
  .split(/\s+/);
