"""Signs a body with Stripe's own library in many ways, and prints what its verifier says of each, as JSON."""
import json
import time

import stripe

SECRET, OTHER = "whsec_test_secret", "whsec_other_secret"
BODY = json.dumps({"id": "evt_1", "object": "event", "type": "invoice.paid", "created": 1, "data": {"object": {"id": "in_é"}}},
                  ensure_ascii=False)
NOW = int(time.time())
sign = stripe.WebhookSignature._compute_signature


def v1(t=NOW, body=BODY, secret=SECRET):
    return sign(f"{t}.{body}", secret)


GOOD = v1()
cases = {
    "by generate_signature_header": (stripe.WebhookSignature.generate_signature_header(BODY, SECRET, NOW), BODY),
    "as documented": (f"t={NOW},v1={GOOD}", BODY),
    "signature first": (f"v1={GOOD},t={NOW}", BODY),
    "second v1 fits": (f"t={NOW},v1={v1(secret=OTHER)},v1={GOOD}", BODY),
    "first v1 fits": (f"t={NOW},v1={GOOD},v1={v1(secret=OTHER)}", BODY),
    "v0 beside it": (f"t={NOW},v1={GOOD},v0={'0' * 64}", BODY),
    "v0 only": (f"t={NOW},v0={GOOD}", BODY),
    "another secret": (f"t={NOW},v1={v1(secret=OTHER)}", BODY),
    "body with one more space": (f"t={NOW},v1={GOOD}", BODY + " "),
    "body of another event": (f"t={NOW},v1={GOOD}", BODY.replace("evt_1", "evt_2")),
    "timestamp changed": (f"t={NOW - 1},v1={GOOD}", BODY),
    "280 s old": (f"t={NOW - 280},v1={v1(NOW - 280)}", BODY),
    "301 s old": (f"t={NOW - 301},v1={v1(NOW - 301)}", BODY),
    "a day old": (f"t={NOW - 86400},v1={v1(NOW - 86400)}", BODY),
    "250 s ahead": (f"t={NOW + 250},v1={v1(NOW + 250)}", BODY),
    "350 s ahead": (f"t={NOW + 350},v1={v1(NOW + 350)}", BODY),
    "no timestamp": (f"v1={GOOD}", BODY),
    "no signature": (f"t={NOW}", BODY),
    "empty header": ("", BODY),
    "words": ("not a signature", BODY),
    "timestamp is no number": (f"t=now,v1={GOOD}", BODY),
    "timestamp is empty": (f"t=,v1={GOOD}", BODY),
    "timestamp has no value": (f"t,v1={GOOD}", BODY),
    "signature has no value": (f"t={NOW},v1", BODY),
    "signature is empty": (f"t={NOW},v1=", BODY),
    "signature in capitals": (f"t={NOW},v1={GOOD.upper()}", BODY),
    "signature cut short": (f"t={NOW},v1={GOOD[:-1]}", BODY),
    "signature with one digit more": (f"t={NOW},v1={GOOD}0", BODY),
    "two timestamps, the first signed": (f"t={NOW},t={NOW - 5},v1={GOOD}", BODY),
    "two timestamps, the second signed": (f"t={NOW - 5},t={NOW},v1={GOOD}", BODY),
    "space after the comma": (f"t={NOW}, v1={GOOD}", BODY),
    "trailing comma": (f"t={NOW},v1={GOOD},", BODY),
    "unknown pair without a value": (f"t={NOW},v1={GOOD},x", BODY),
    "leading zero": (f"t=0{NOW},v1={GOOD}", BODY),
    "negative timestamp": (f"t=-5,v1={v1(-5)}", BODY),
    "another sign behind the signature": (f"t={NOW},v1={GOOD}=x", BODY),
    "twenty wrong ones before the right one": (f"t={NOW}," + "v1=00," * 20 + f"v1={GOOD}", BODY),
    "empty body": (f"t={NOW},v1={v1(body='')}", ""),
}


def accepts(header, body):
    try:
        return stripe.WebhookSignature.verify_header(body.encode(), header, SECRET, tolerance=300)
    except stripe.SignatureVerificationError:
        return False


print(json.dumps([{"name": name, "header": header, "body": body, "accepted": accepts(header, body)}
                  for name, (header, body) in cases.items()]))
