package iqmetrix

import (
	"bytes"
	"fmt"
	"net/http"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// lockUser locks with an optional reason. The body may be absent, empty or {}
// (dossier 5.18: older pages had none); a LockReasonId of 0 is one that a
// typed client never set.
func lockUser(d *door, x *exchange) (web.Response, error) {
	reason, err := lockReasonOf(d, x)
	if err != nil {
		return x.refuse(d, err)
	}
	if _, err = d.svc.Lock(x.req.Context(), &x.call, x.user(), reason); err != nil {
		return web.Response{}, err
	}
	return emptyResponse(http.StatusNoContent)
}

// lockReasonOf reads the body of a lock: 0 is no reason.
func lockReasonOf(d *door, x *exchange) (int64, error) {
	body, err := x.body(d)
	if err != nil {
		return 0, err
	}
	if trimmed := bytes.TrimSpace(body); len(trimmed) == 0 || string(trimmed) == "null" {
		return 0, nil
	}
	object, err := decode(body)
	if err != nil {
		return 0, err
	}
	var f faults
	reason, _ := f.integer(object, "LockReasonId")
	if reason < 0 || reason > directory.MaxNumber {
		reason = noNumber
	}
	return reason, f.err()
}

func getLockStatus(d *door, x *exchange) (web.Response, error) {
	status, err := d.svc.LockStatus(x.req.Context(), &x.call, x.user())
	if err != nil {
		return web.Response{}, err
	}
	return jsonResponse(http.StatusOK, appendLockStatus(nil, &status))
}

// unlockUser has no body in the seed; what a client sends is not read.
func unlockUser(d *door, x *exchange) (web.Response, error) {
	if _, err := d.svc.Unlock(x.req.Context(), &x.call, x.user()); err != nil {
		return web.Response{}, err
	}
	return emptyResponse(http.StatusNoContent)
}

func listLockReasons(d *door, x *exchange) (web.Response, error) {
	reasons, err := d.svc.LockReasons(x.req.Context(), &x.call, x.at.number(0))
	if err != nil {
		return web.Response{}, err
	}
	return jsonResponse(http.StatusOK, appendArray(nil, reasons, appendLockReason))
}

func createLockReason(d *door, x *exchange) (web.Response, error) {
	reason, err := readLockReason(d, x)
	if err != nil {
		return x.refuseCompany(d, err)
	}
	made, err := d.svc.CreateLockReason(x.req.Context(), &x.call, reason)
	if err != nil {
		return web.Response{}, nameTaken(err, "LockReason", reason.Name, reason.Company)
	}
	return jsonResponse(http.StatusCreated, appendLockReason(nil, &made))
}

func getLockReason(d *door, x *exchange) (web.Response, error) {
	reason, err := d.svc.LockReason(x.req.Context(), &x.call, x.at.number(0), x.at.number(1))
	if err != nil {
		return web.Response{}, err
	}
	return jsonResponse(http.StatusOK, appendLockReason(nil, &reason))
}

func putLockReason(d *door, x *exchange) (web.Response, error) {
	reason, err := readLockReason(d, x)
	reason.Number = x.at.number(1)
	if err != nil {
		if _, refused := d.svc.LockReason(x.req.Context(), &x.call, reason.Company, reason.Number); refused != nil {
			return web.Response{}, refused
		}
		return web.Response{}, err
	}
	kept, err := d.svc.UpdateLockReason(x.req.Context(), &x.call, reason)
	if err != nil {
		return web.Response{}, nameTaken(err, "LockReason", reason.Name, reason.Company)
	}
	return jsonResponse(http.StatusOK, appendLockReason(nil, &kept))
}

// deleteLockReason answers 200 with an empty body, as the seed prints it.
func deleteLockReason(d *door, x *exchange) (web.Response, error) {
	if err := d.svc.DeleteLockReason(x.req.Context(), &x.call, x.at.number(0), x.at.number(1)); err != nil {
		return web.Response{}, err
	}
	return emptyResponse(http.StatusOK)
}

// readLockReason reads the body of POST and PUT. The Id in the body is not
// read: the URI's counts (dossier 5.7).
func readLockReason(d *door, x *exchange) (directory.LockReason, error) {
	reason := directory.LockReason{Company: x.at.number(0)}
	object, err := x.object(d)
	if err != nil {
		return reason, err
	}
	var f faults
	reason.Name = f.requiredText(object, "Name")
	reason.Description = f.requiredText(object, "Description")
	return reason, f.err()
}

// nameTaken gives a taken name the text of the security roles page (dossier
// 4.4), which names the thing, the name and the company.
func nameTaken(err error, thing, name string, company int64) error {
	e := directory.AsError(err)
	if e.Reason != directory.ReasonLockReasonTaken && e.Reason != directory.ReasonRoleTaken {
		return err
	}
	renamed := *e
	renamed.Message = fmt.Sprintf("The %s name %s already exists for entity %d", thing, name, company)
	return &renamed
}
