// Package promises holds a test for each promise that usher makes to whoever
// trusts it with a directory, named after it: TestPromiseA to TestPromiseL. It
// has no code but tests, and asks the whole program, over the wire, through all
// doors and the console. What a package proves of a promise by itself is not
// repeated: each test says in its comment what the promise is, and where the
// rest of its proof lies.
package promises
