package directory

func bulkReasons() []ReasonInfo {
	return append(importReasons(), []ReasonInfo{
		{ReasonBulkNotFound, CodeNotFound, "The tenant has no import or bulk action with this id, or not this part of its file any more; runs are removed 30 days after their end.",
			"List the imports or bulk actions."},
		{ReasonBulkState, CodeConflict, "The import or bulk action is not in a state in which this can be done. The message names the state.",
			"Read it again; one that has ended cannot be changed: make another one."},
		{ReasonBulkPart, CodeConflict, "The part of the file does not follow the last one, or is another one than was sent before.",
			"Send the parts one after the other, from 0: the import says how many it has."},
		{ReasonBulkTooLarge, CodeTooLarge, "The file, or a part of it, is larger than the server takes. The message names the limit.",
			"Split the file, or send it in smaller parts."},
		{ReasonBulkTooMany, CodeExhausted, "The tenant has as many imports and bulk actions that have not ended as it can have.",
			"Wait until one has ended, or cancel one."},
		{ReasonBulkAsker, CodeForbidden, "Who asked for the import or bulk action may not do it any more: the account or the credential was taken away or has less rights than it had.",
			"Have somebody who may ask for it again."},
	}...)
}
