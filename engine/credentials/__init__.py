"""What a venue or a vendor says about a key: is it right, whose is it, what may it do. Reads only.

A check is a few signed requests and what their answers mean; nothing is ordered, moved or changed. Requests
go to the address of the connection and nowhere else, redirects are not followed, no sentence holds a key.
"""
