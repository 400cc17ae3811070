package directory

import (
	"slices"
	"strings"
	"unicode"
)

// The block list of passwords is a rule and not a file: a password is
// guessable when nothing is left of it after taking away one common word (in
// any of the usual spellings with digits and signs, any number of times),
// sequences, keyboard walks, repetitions and years, but for a few digits or
// signs. That covers the head of every published list ("Password123!",
// "qwertyuiop12345", "P@ssw0rdP@ssw0rd", "111111111111111") at any length, and
// no passphrase of different words. As NIST SP 800-63B-4 section 3.1.1.2 asks,
// it judges the whole password and no part of it.

// spareCharacters is how many digits or signs outside of a pattern an attacker
// tries anyway.
const spareCharacters = 4

// minRun is the least length of a sequence, walk or repetition.
const minRun = 3

// maxPeriod is the longest group that makes a password guessable by being
// repeated.
const maxPeriod = 4

// commonWords are words that people choose as passwords, in lower case.
var commonWords = strings.Fields(`
password passwort passwd passw pass passcode passphrase parola contrasena motdepasse senha wachtwoord heslo haslo
welcome willkommen bienvenue bienvenido letmein login logon signin admin administrator root user username guest
default changeme change temp temporary test testing tester demo sample example secret secure security private
access master manager support service server system database network internet computer laptop desktop windows
linux ubuntu oracle google facebook twitter instagram youtube amazon apple samsung android iphone microsoft office
company business corporate employee account money dollar euro bitcoin
monkey dragon tiger lion panther eagle falcon hawk phoenix horse pony dog doggy puppy cat kitty kitten fish
dolphin shark turtle bear wolf fox rabbit bunny chicken butterfly spider snake scorpion unicorn dinosaur elephant
football soccer baseball basketball hockey tennis golf cricket rugby boxing racing fishing hunting surfing
liverpool arsenal chelsea barcelona juventus yankees cowboys steelers lakers eagles rangers dodgers packers
mustang corvette ferrari porsche mercedes toyota honda harley yamaha suzuki camaro
superman batman spiderman ironman starwars skywalker yoda vader pokemon pikachu naruto minecraft fortnite zelda
matrix gandalf frodo hobbit potter hogwarts ninja samurai warrior knight wizard king queen prince princess
iloveyou iloveu ilovegod loveyou lovely lover love forever always angel heaven jesus christ blessed blessing faith
god devil satan killer hunter shadow ghost mystery magic freedom liberty peace happy smile laugh sunshine sunset
rainbow summer winter spring autumn january february march april june july august september october november
december monday tuesday wednesday thursday friday saturday sunday today tomorrow holiday christmas birthday
flower rose lily daisy orchid cherry banana orange lemon apples strawberry chocolate cookie candy sugar honey
coffee cheese pizza burger pepper ginger butter water fire earth wind storm thunder lightning river ocean
mountain island beach star moon galaxy planet universe diamond crystal silver golden gold platinum purple yellow
green blue black white red pink brown color
michael jennifer jessica ashley daniel matthew joshua andrew william robert thomas charlie george harry jack oliver
amanda michelle nicole samantha elizabeth sophie anna maria laura linda barbara patricia susan margaret karen
david james john joseph richard steven kevin brian jason justin brandon anthony alexander alexandra benjamin
charlotte emily emma olivia isabella victoria hannah lauren andrea natasha daniela carlos miguel jose juan
antonio francisco alejandro mohammed ahmed ali fatima
london paris berlin madrid rome moscow tokyo newyork chicago boston dallas texas florida california canada
america england scotland ireland france germany italy spain portugal brazil mexico argentina india china japan
russia poland sweden norway denmark finland australia
mother father mommy daddy mom dad sister brother baby family friend friends girl boy buddy darling sweetheart
honeybun cutie sexy babe babygirl babyboy gorgeous beautiful handsome lucky winner champion number one
music guitar piano metal rock rockyou rockstar hiphop dance player gamer gaming game games poker casino
trustno fuckyou fuckoff asshole bitch whatever nothing something hello goodbye goodluck thankyou please
qwerty qwertz azerty asdf zxcv abcd
`)

// tracks are the sequences that people type: the alphabet, digits and the
// rows, shifted digits and columns of keyboards. Both directions count.
var tracks = strings.Fields(`
abcdefghijklmnopqrstuvwxyz 01234567890 09876543210 !@#$%^&*() !"#$%&'()
qwertyuiop[] asdfghjkl;' zxcvbnm,./ qwertzuiop yxcvbnm azertyuiop qsdfghjklm wxcvbn
1qaz 2wsx 3edc 4rfv 5tgb 6yhn 7ujm 8ik, 9ol. 0p;/ 147 258 369 159 357 2580
`)

// substitutes are the letters that a digit or sign is commonly written for.
var substitutes = map[rune]string{
	'0': "o", '1': "il", '3': "e", '4': "a", '5': "s", '6': "g", '7': "t", '8': "b", '9': "g",
	'@': "a", '$': "s", '!': "il", '+': "t", '|': "il", '€': "e", '(': "c",
}

// guessable reports whether a password, folded by FoldSearch, is on the block
// list.
func guessable(folded string) bool {
	text := []rune(folded)
	if len(text) == 0 || periodic(text) || coverable(text, nil) {
		return true
	}
	for _, word := range commonWords {
		w := []rune(word)
		for i := range text {
			if spells(text[i:], w) {
				if coverable(text, w) {
					return true
				}
				break
			}
		}
	}
	return false
}

// periodic reports whether the text is one group of at most maxPeriod runes
// repeated; the last repetition may be cut.
func periodic(text []rune) bool {
	for period := 1; period <= maxPeriod && 2*period <= len(text); period++ {
		if slices.Equal(text[period:], text[:len(text)-period]) {
			return true
		}
	}
	return false
}

// coverable reports whether patterns and the word cover the text, but for
// spareCharacters that are no letters. At least one pattern must be there.
func coverable(text, word []rune) bool {
	const out = spareCharacters + 1
	// spare[i][p] is the least number of spare characters in a cover of
	// text[:i], without (0) and with (1) a pattern in it.
	spare := make([][2]int, len(text)+1)
	for i := range spare {
		spare[i] = [2]int{out, out}
	}
	spare[0][0] = 0
	for i := range text {
		least := min(spare[i][0], spare[i][1])
		if least == out {
			continue
		}
		if !unicode.IsLetter(text[i]) {
			spare[i+1][0] = min(spare[i+1][0], spare[i][0]+1)
			spare[i+1][1] = min(spare[i+1][1], spare[i][1]+1)
		}
		run := longestRun(text[i:])
		for n := minRun; n <= run; n++ {
			spare[i+n][1] = min(spare[i+n][1], least)
		}
		if year(text[i:]) {
			spare[i+4][1] = min(spare[i+4][1], least)
		}
		if len(word) > 0 && spells(text[i:], word) {
			spare[i+len(word)][1] = min(spare[i+len(word)][1], least)
		}
	}
	return spare[len(text)][1] < out
}

// longestRun is the length of the longest repetition or sequence at the start
// of the text.
func longestRun(text []rune) int {
	longest := 1
	for longest < len(text) && text[longest] == text[0] {
		longest++
	}
	for _, track := range tracks {
		at := strings.IndexRune(track, text[0])
		if at < 0 {
			continue
		}
		for _, step := range []int{1, -1} {
			n := 0
			for i := at; i >= 0 && i < len(track) && n < len(text) && rune(track[i]) == text[n]; i += step {
				n++
			}
			longest = max(longest, n)
		}
	}
	return longest
}

// year reports whether the text starts with a year of 1900 to 2099.
func year(text []rune) bool {
	return len(text) >= 4 && (string(text[:2]) == "19" || string(text[:2]) == "20") &&
		strings.ContainsRune("0123456789", text[2]) && strings.ContainsRune("0123456789", text[3])
}

// spells reports whether the text starts with the word, letter by letter or by
// substitutes.
func spells(text, word []rune) bool {
	if len(text) < len(word) {
		return false
	}
	for i, want := range word {
		if text[i] != want && !strings.ContainsRune(substitutes[text[i]], want) {
			return false
		}
	}
	return true
}
