<?php
// Responds with the variables that PHP gives to an application about its request.
header('Content-Type: application/json');
$answer = json_encode($_SERVER, JSON_INVALID_UTF8_SUBSTITUTE);
header('Content-Length: ' . strlen($answer));
echo $answer;
