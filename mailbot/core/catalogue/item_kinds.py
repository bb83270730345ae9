"""The kinds of things that a licence holds, in the order in which every list shows them."""

#: The items that are counted.
SEATS = ("agents", "users", "telephones", "mobile_agents")
ORDER = ("admin", "plan", *SEATS, "webrtc", "phonebar", "addon", "plugin", "support", "billing", "whitelabel", "token", "status")  # fmt: skip
