// Package torture tests what the program promises when everything around it fails:
// servers that are killed, disks that are full, slow or take no writes, little memory,
// clocks that jump, databases that are away or slow, and clients that never finish.
// Each test has writers and readers through several doors all the time, and ends with
// the same judgement (judge in load_test.go): nothing that was acknowledged is lost, no
// seat is sold twice, the history verifies, the whole directory agrees with itself
// (usher doctor --deep), and service returned by itself.
package torture
