// Package cloudevent writes events of the directory as CloudEvents 1.0 in the
// JSON format (CloudEvents 1.0.2, "CloudEvents - Version 1.0.2" and "JSON Event
// Format for CloudEvents - Version 1.0.2"), which webhooks send and the canonical
// API shows on request.
//
// Beside the attributes of the specification, an envelope has two documented
// extensions, sequence and partitionkey, and one of its own, origin: who asked for
// the change, so that a system that writes and listens can leave out its own echo.
package cloudevent
