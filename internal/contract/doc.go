// Package contract runs contract scripts: what a vendor's documents say about
// one API, one check a line, against a running server. It is test support.
//
// A script is a txtar archive: the head holds the cases, the file sections hold
// bodies. Cases are separated by blank lines; a line that starts with '#' is a
// comment, and each case cites its source in one. The first other line of a
// case is the request; each of the rest is one directive:
//
//	# source: seed, GET a User
//	GET /v1/Users(2576)              METHOD path, sent exactly as written after {var} substitution
//	as key                           Authorization: Bearer <variable key>; "as none", the default, sends none
//	reqheader Accept: application/json
//	reqbody user.json                the body is a file section, without its last line break
//	reqbody: {"Password":"x"}        the body is the rest of the line
//	reqform: a=1&b=%20               the same as application/x-www-form-urlencoded
//	reqmultipart: a=1&b=x y          each as a part of multipart/form-data, values as they are written
//	code == 200
//	header Content-Type == text/xml  one of the header's values is exactly this
//	header X-RateLimit-Reset ~ ^\d+T one of them matches
//	noheader Location
//	body == invalid token            the exact body (\n, \r, \t and \\ understood), or the name of a file section
//	body empty
//	body ~ regexp
//	json == want.json                a file section or JSON on the line: order of keys ignored, of arrays kept, numbers exact
//	json $.items[0].Id == 2576       the value at a path; keys of other letters as $["urn:x"]
//	json $.x ~ regexp                a string or number that matches
//	json $.x absent
//	json $.items len 3               elements of an array, keys of an object, characters of a string
//	keys $ == Id,FirstName           an object's keys in their order on the wire
//	xml == want.xml                  a file section or XML on the line: order of attributes and space between elements ignored
//	xml /users/user[2]/@id == 7      the first text that a path leads to: elements, their number from 1, an attribute
//	xml /users/user ~ regexp
//	xml /users/user absent
//	xml /users/user len 3            how many there are
//	nocookie SESSION                 no Set-Cookie of this name
//	capture token = $.access_token   used later as {token}
//	capture h = header Location
//	capture jwt = body
//	capture id = xml /users/user/@id
//	capture s = cookie SESSION
//
// In JSON and XML that a script wants, the string "{any}" matches any value that
// is there. {name} anywhere else is replaced by a variable, in file sections too;
// a variable that is not known is an error, and so is a directive that is not.
// An answer with a key twice in one object is no JSON for these checks.
package contract
